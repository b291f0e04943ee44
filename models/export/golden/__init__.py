"""Golden fixtures: tiny pipelines with seeded random weights and what the reference computes with them."""
