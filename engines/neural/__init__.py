"""What every engine with a neural network shares: where it computes, and how its weights are loaded."""
