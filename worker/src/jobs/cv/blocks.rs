//! The blocks of a CV (placeholder by the lead; replace this file).
pub(super) fn blocks(cv: &schemas::cv::Cv) -> render::Document {
    render::Document { title: cv.full_name.clone(), language: "en".to_owned(), ..Default::default() }
}
