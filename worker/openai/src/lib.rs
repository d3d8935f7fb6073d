//! One request to a language model, one reply, no retries at any layer.
