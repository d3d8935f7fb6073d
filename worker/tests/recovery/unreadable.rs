//! Records that no version has written: what needs them is set aside, and goes round no more.

use schemas::ProblemKind;
use storage::names::{Container, TableName, input_path, row as key};
use storage::port::{Metadata, Properties, PutMode, Write};

use super::*;

/// It comes back soon, and by itself only.
fn hasty(config: &mut Config) {
    config.worker.visibility = Duration::from_millis(300);
    config.worker.heartbeat = Duration::from_millis(100);
    config.worker.reconcile_every = Duration::from_mins(1);
}

async fn set_aside(world: &World, queue: QueueName) -> u64 {
    let queues = &world.store.storage().queue;
    for _ in 0..6_000 {
        if queues.count(queue).await.unwrap() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    queues.count(queue).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_row_cannot_be_read_is_set_aside() {
    let world = World::new(takes(5, Behaviour::reply()), hasty);
    let (storage, tenant) = (world.store.storage(), Tenant::anonymous());
    let id = world.submit(1).await;
    let columns: Properties = [("state".to_owned(), "asleep".into())]
        .into_iter()
        .collect();
    let write = Write::Upsert(key::job(id), columns.clone());
    let (table, jobs) = (&storage.table, TableName::Jobs);
    table
        .write(jobs, tenant.as_str(), vec![write])
        .await
        .unwrap();
    world.store.enqueue_ended(&tenant, id).await.unwrap();
    let lease = Duration::from_secs(5);
    for _ in 0..9 {
        let (queue, name) = (&storage.queue, QueueName::Notifications);
        let got = queue.receive(name, 1, lease).await.unwrap();
        let back = queue.extend(name, &got[0].lease, Duration::ZERO, None);
        back.await.unwrap();
    }
    let worker = world.worker();
    assert_eq!(set_aside(&world, QueueName::NotificationsPoison).await, 1);
    assert_eq!(set_aside(&world, QueueName::JobsPoison).await, 1);
    world.queue_is_empty().await;
    worker.stop().await;
    let left = storage.queue.count(QueueName::Notifications).await;
    assert_eq!(left.unwrap(), 0);
    let row = table.get(jobs, tenant.as_str(), &key::job(id)).await;
    assert_eq!(row.unwrap().value.unwrap().properties, columns);
}

/// Its row can be read, so it ends; and it can be mended and put back.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_input_cannot_be_read_ends_as_poison() {
    let world = World::new(takes(5, Behaviour::reply()), hasty);
    let (tenant, id) = (Tenant::anonymous(), world.submit(1).await);
    let (blobs, path) = (&world.store.storage().blobs, input_path(&tenant, id));
    let (labels, mode) = (Metadata::new(), PutMode::Overwrite);
    let (container, kind) = (Container::JobInputs, "application/json");
    let put = blobs.put(container, &path, "[]".into(), kind, &labels, mode);
    put.await.unwrap();
    let worker = world.worker();
    let row = world.ended(id).await;
    let problem = row.error.as_ref().map(|problem| problem.kind);
    assert_eq!(
        (row.state, problem, row.attempt),
        (RowState::Failed, Some(ProblemKind::Poison), 0),
        "{row:?}"
    );
    assert_eq!(set_aside(&world, QueueName::JobsPoison).await, 1);
    worker.stop().await;
    assert_eq!(world.model.counters().received, 0);
}

/// Another job of the same content does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_cannot_be_read_holds_up_nobody() {
    let world = World::new(takes(5, Behaviour::reply()), hasty);
    let worker = world.worker();
    let holder = world.submit(7).await;
    assert_eq!(world.ended(holder).await.state, RowState::Succeeded);
    let write = Write::Upsert(key::job(holder), Properties::new());
    let (table, tenant) = (&world.store.storage().table, Tenant::anonymous());
    let written = table.write(TableName::Jobs, tenant.as_str(), vec![write]);
    written.await.unwrap();
    let next = world.submit(7).await;
    let row = world.ended(next).await;
    assert_eq!((row.state, row.cached_from), (RowState::Succeeded, None));
    worker.stop().await;
}
