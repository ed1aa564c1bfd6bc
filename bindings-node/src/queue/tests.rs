//! Tests of the queue, on a runtime of their own.

use super::*;
use std::sync::atomic::AtomicUsize;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

struct Fixture {
    runtime: Runtime,
    queue: Arc<Queue>,
    wakes: Arc<AtomicUsize>,
    woken: Arc<Notify>,
}

fn fixture() -> Fixture {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (wakes, woken) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (w, n) = (wakes.clone(), woken.clone());
    let queue = Queue::new(runtime.handle().clone(), move || {
        w.fetch_add(1, Ordering::SeqCst);
        n.notify_one();
    });
    Fixture { runtime, queue, wakes, woken }
}

fn text(entry: Entry) -> (u32, String) {
    match entry {
        Entry::Reply(id, Ok(Reply::Text(text))) => (id, text),
        Entry::Reply(id, Err(error)) => (id, error.code().as_str().to_owned()),
        _ => panic!("not a reply of text"),
    }
}

#[test]
fn a_finished_call_wakes_once_and_is_taken_with_its_id() {
    let f = fixture();
    f.queue.start(7, async { Ok(Reply::Text("done".to_owned())) });
    f.runtime.block_on(f.woken.notified());
    assert_eq!(f.queue.take().into_iter().map(text).collect::<Vec<_>>(), [(7, "done".to_owned())]);
    assert_eq!(f.wakes.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_becomes_an_error_of_that_call_alone() {
    let f = fixture();
    f.queue.start(1, async { panic!("on purpose") });
    f.runtime.block_on(f.woken.notified());
    assert_eq!(f.queue.take().into_iter().map(text).collect::<Vec<_>>(), [(1, "internal".to_owned())]);
    f.queue.start(2, async { Ok(Reply::Text("still here".to_owned())) });
    f.runtime.block_on(f.woken.notified());
    assert_eq!(f.queue.take().into_iter().map(text).collect::<Vec<_>>(), [(2, "still here".to_owned())]);
}

#[test]
fn a_cancelled_call_is_dropped_and_leaves_no_entry() {
    let f = fixture();
    let (dropped, gone) = oneshot::channel::<()>();
    f.queue.start(1, async move {
        let _held_until_dropped = dropped;
        std::future::pending::<()>().await;
        Ok(Reply::Null)
    });
    f.queue.cancel(1);
    assert!(f.runtime.block_on(gone).is_err());
    assert!(f.queue.take().is_empty());
}

#[test]
fn an_answer_reaches_the_one_who_asked() {
    let f = fixture();
    let queue = f.queue.clone();
    f.queue.start(3, async move { Ok(Reply::Text(queue.ask(9, "{}".to_owned()).await.unwrap())) });
    f.runtime.block_on(f.woken.notified());
    let Some(Entry::Ask(9, ask, _)) = f.queue.take().pop() else { panic!("not asked") };
    f.queue.answer(ask, Ok("secret".to_owned()));
    f.runtime.block_on(f.woken.notified());
    assert_eq!(f.queue.take().into_iter().map(text).collect::<Vec<_>>(), [(3, "secret".to_owned())]);
}

#[test]
fn one_who_asks_a_thread_that_ends_gets_an_error() {
    let f = fixture();
    let queue = f.queue.clone();
    let asked = f.runtime.spawn(async move { queue.ask(1, "{}".to_owned()).await });
    f.runtime.block_on(f.woken.notified());
    f.queue.end();
    assert!(f.runtime.block_on(asked).unwrap().is_err());
}

#[test]
fn notices_beyond_the_bound_are_dropped_and_replies_are_not() {
    let f = fixture();
    for _ in 0..MOST_NOTICES + 5 {
        f.queue.tell(1, "line".to_owned());
    }
    f.queue.finish(4, Ok(Reply::Null));
    assert_eq!(f.queue.take().len(), MOST_NOTICES);
    f.queue.start(4, async { Ok(Reply::Text("kept".to_owned())) });
    f.runtime.block_on(async {
        while f.wakes.load(Ordering::SeqCst) < 2 {
            f.woken.notified().await;
        }
    });
    assert_eq!(f.queue.take().into_iter().map(text).collect::<Vec<_>>(), [(4, "kept".to_owned())]);
}

#[test]
fn a_callback_that_nobody_can_call_is_released() {
    let f = fixture();
    let callback = f.queue.callback(5);
    let other = callback.clone();
    drop(callback);
    assert!(f.queue.take().is_empty());
    drop(other);
    assert!(matches!(f.queue.take().pop(), Some(Entry::Release(5))));
}

#[test]
fn nothing_is_kept_for_a_thread_that_has_ended() {
    let f = fixture();
    let callback = f.queue.callback(5);
    f.queue.end();
    callback.tell(&serde_json::Value::Null);
    assert!(f.runtime.block_on(callback.ask(&serde_json::Value::Null)).is_err());
    drop(callback);
    assert!(f.queue.take().is_empty());
}
