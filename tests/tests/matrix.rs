//! The bounded crash matrix; `target/debug/matrix` runs the whole of it.

use e2e::matrix::{Extent, run};

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_at_any_point_loses_a_job_or_pays_twice() {
    let table = run(Extent::Bounded, &[], 28, |_, _| {}).await;
    println!("{table}");
    assert!(table.runs() >= 500, "only {} runs", table.runs());
    assert!(
        table.is_good(),
        "{} of {} runs broke the promise:\n{}",
        table.stories.len(),
        table.runs(),
        table
            .stories
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n"),
    );
}
