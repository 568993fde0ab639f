"""The engine: load, decide, perform one idempotent step, write down what happened, until it must wait."""
