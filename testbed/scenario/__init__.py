"""What is to be tested: the scenario file, its models, and the cells that it stands for."""
