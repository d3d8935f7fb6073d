//! The engine: pulls jobs, calls the model at most once, renders the PDF.
