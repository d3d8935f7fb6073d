//! The HTTP front: checks a request, stores a job, enqueues it, answers status.
