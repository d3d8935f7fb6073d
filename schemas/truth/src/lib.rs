//! Does a text claim only what its source says? Compares CVs value by value, across languages.
