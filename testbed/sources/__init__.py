"""Where pictures come from: people, photographs and recorded clips, with the truth of who was where."""
