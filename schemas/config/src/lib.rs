//! Configuration: one documented default file, then a file, then the environment.
