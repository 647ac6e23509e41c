// Charts are drawn when first shown: what lies in a closed <details> costs nothing.
const specs = JSON.parse(document.getElementById("specs").textContent);
// `ast` interprets Vega's expressions instead of compiling them, so that the page needs no permission to eval.
const options = { actions: false, renderer: "svg", ast: true };
const draw = (plot) => {
  if (plot.dataset.drawn) return;
  plot.dataset.drawn = "yes";
  vegaEmbed(plot, specs[plot.id], options).catch((error) => { plot.textContent = "This chart could not be drawn: " + error.message; });
};
const shown = (plot) => !plot.closest("details:not([open])");
document.querySelectorAll(".plot").forEach((plot) => shown(plot) && draw(plot));
document.querySelectorAll("details").forEach((details) =>
  details.addEventListener("toggle", () => details.querySelectorAll(".plot").forEach((plot) => shown(plot) && draw(plot))));
