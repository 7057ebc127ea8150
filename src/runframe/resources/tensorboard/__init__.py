"""TensorBoard's event files as a run: found and read, folded into rows, sent."""
