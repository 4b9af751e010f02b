//! What was decided is counted once: not twice after a crash, not lost by a stop, not lost while the database is away.

use std::fs;
use std::path::PathBuf;

use latchkey::gate::Gate;
use latchkey_rules::code::Code;
use serde::Serialize;
use serde_json::json;

use crate::ask::{forwarded, request, send, verify};
use crate::world::{Made, Wanted, World, eventually};

fn authorize(gate: &Gate, key: &Made) {
    let asked = forwarded("/v1/authorize").insert_header(("X-API-Key", key.secret().to_owned()));
    assert_eq!(send(gate, asked).status, 200);
}

/// The journal of counts that wait on disk.
fn journal(world: &World) -> PathBuf {
    world.dir.path().join("spill/journal")
}

/// Whole entries in the journal. A frame is a length, a checksum, and so many bytes.
fn journalled(world: &World) -> usize {
    let bytes = fs::read(journal(world)).unwrap_or_default();
    let mut rest: &[u8] = &bytes;
    let mut entries = 0;
    while let Some((len, behind)) = rest.split_first_chunk() {
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap();
        let Some(next) = behind.get(4 + len..) else {
            break;
        };
        rest = next;
        entries += 1;
    }
    entries
}

/// Account, key, secret number, product, outcome, hour, times.
type Row = (i64, i64, u16, i64, i16, i64, i64, i64);

/// What the journal's entries hold, as they stand on disk.
#[derive(Serialize)]
enum Entry {
    Counted(Vec<Row>),
    Sent(String, i64, i64, i64, Vec<Row>),
}

fn frame(entry: &Entry) -> Vec<u8> {
    let content = postcard::to_stdvec(entry).unwrap();
    let len = u32::try_from(content.len()).unwrap();
    let sum = crc32fast::hash(&content);
    [&len.to_le_bytes()[..], &sum.to_le_bytes()[..], &content].concat()
}

fn metric(gate: &Gate, name: &str) -> u64 {
    let page = send(gate, request("GET", "/metrics")).body;
    let line = page
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")))
        .unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn r_03_every_verdict_is_counted_with_its_secret_product_and_code() {
    let world = World::new();
    let key = world.key(Wanted {
        secrets: vec![Some(crate::world::START.plus_secs(60)), None],
        ..Wanted::default()
    });
    let gate = world.gate();
    for (secret, product) in [
        (0, "maps"),
        (1, "maps"),
        (1, "maps"),
        (1, "tiles"),
        (1, "mars"),
    ] {
        verify(
            &gate,
            &json!({"secret": key.secrets[secret], "product": product}),
        );
    }
    authorize(&gate, &key);
    gate.stop();
    let rows = world.activity(key.key_id);
    let last4 = |place: usize| {
        let secret = &key.secrets[place];
        secret.split_at(secret.len() - 4).1.to_owned()
    };
    let mut counted: Vec<_> = rows
        .into_iter()
        .map(|row| (row.secret_last4, row.product_slug, row.code, row.count))
        .collect();
    counted.sort_by_key(|row| (row.3, row.2, row.0.clone()));
    let mut expected = vec![
        (last4(0), Some("maps".to_owned()), Code::Valid, 1),
        (last4(1), None, Code::ProductUnknown, 1),
        (
            last4(1),
            Some("tiles".to_owned()),
            Code::ProductNotAssigned,
            1,
        ),
        (last4(1), Some("maps".to_owned()), Code::Valid, 3),
    ];
    expected.sort_by_key(|row| (row.3, row.2, row.0.clone()));
    assert_eq!(counted, expected);
}

#[test]
fn trials_and_strangers_are_not_counted() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    verify(
        &gate,
        &json!({"secret": key.secret(), "product": "maps", "dry_run": true}),
    );
    verify(&gate, &json!({"secret": "junk", "product": "maps"}));
    let preflight = forwarded("/v1/preflight").insert_header(("Origin", "https://example.com"));
    assert_eq!(send(&gate, preflight).status, 204);
    assert_eq!(
        send(&gate, request("GET", "/metrics"))
            .body
            .matches("code=\"VALID\"} 0\n")
            .count(),
        1
    );
    gate.stop();
    assert_eq!(world.counted(key.key_id), 0);
}

#[test]
fn a_verdict_shows_within_two_seconds() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    authorize(&gate, &key);
    eventually("counted", || world.counted(key.key_id) == 1);
    gate.stop();
    assert_eq!(world.counted(key.key_id), 1);
}

#[test]
fn r_03_a_stop_loses_nothing() {
    let world = World::new();
    let keys: Vec<Made> = (0..20).map(|_| world.plain_key()).collect();
    let gate = world.gate();
    for (times, key) in keys.iter().enumerate() {
        for _ in 0..times {
            authorize(&gate, key);
        }
    }
    gate.stop();
    for (times, key) in (0_i64..).zip(&keys) {
        assert_eq!(world.counted(key.key_id), times);
    }
}

#[test]
fn r_03_while_the_database_is_away_counts_wait_on_disk_and_come_back() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    world.lose_the_log();
    eventually("the look fails", || {
        metric(&gate, "latchkey_log_failures_total") > 0
    });
    world.hand.advance_ms(1_500);
    authorize(&gate, &key);
    eventually("on disk", || journalled(&world) == 1);
    authorize(&gate, &key);
    eventually("on disk too", || journalled(&world) == 2);
    assert!(metric(&gate, "latchkey_meter_queued_bytes") > 0);
    world.find_the_log();
    eventually("written", || {
        world.counted(key.key_id) == 2 && !journal(&world).exists()
    });
    gate.stop();
    assert_eq!(world.counted(key.key_id), 2);
}

#[test]
fn r_03_a_gate_that_starts_writes_what_an_earlier_one_left() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    world.lose_the_log();
    eventually("the look fails", || {
        metric(&gate, "latchkey_log_failures_total") > 0
    });
    world.hand.advance_ms(1_500);
    authorize(&gate, &key);
    gate.stop();
    assert_eq!((journalled(&world), world.counted(key.key_id)), (1, 0));
    world.find_the_log();
    let next = world.gate();
    eventually("written", || {
        world.counted(key.key_id) == 1 && !journal(&world).exists()
    });
    next.stop();
}

#[test]
fn r_03_a_batch_that_was_written_just_before_a_kill_is_not_written_again() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    authorize(&gate, &key);
    gate.stop();
    assert_eq!(world.counted(key.key_id), 1);
    // The journal as the kill leaves it: the batch has its number, and nothing says that it is settled.
    let batch = world.text("SELECT json_array(node, epoch, seq, at) AS text FROM meter_batches");
    let row = world.text(
        "SELECT json_array(account_id, key_row, secret_number, product_row, outcome, hour, count, count) AS text FROM activity",
    );
    let (node, epoch, seq, at) = serde_json::from_str(&batch).unwrap();
    let row: Row = serde_json::from_str(&row).unwrap();
    let counted = frame(&Entry::Counted(vec![row, row]));
    let sent = frame(&Entry::Sent(node, epoch, seq, at, vec![row]));
    fs::write(journal(&world), [counted, sent].concat()).unwrap();
    let next = world.gate();
    // The journal counts the row twice: once in the batch that is written, once after it.
    eventually("settled", || !journal(&world).exists());
    next.stop();
    assert_eq!(world.counted(key.key_id), 2);
}

#[test]
fn more_counts_than_a_second_may_write_wait_and_are_all_written() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    // 5,000 different counts, each twice: by hours that lie ever further back, for want of 5,000 keys.
    for _ in 0..2 {
        for _ in 0..5_000 {
            world.hand.set(world.clock.now().plus_secs(-3_600));
            verify(&gate, &json!({"secret": key.secret(), "product": "maps"}));
        }
        world.hand.set(crate::world::START);
    }
    gate.stop();
    let rows = world.text("SELECT json_array(COUNT(*), SUM(count)) AS text FROM activity");
    assert_eq!(rows, "[5000,10000]");
    assert!(!journal(&world).exists());
}

#[test]
fn a_batch_that_the_database_refuses_is_put_aside() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    world.sql("ALTER TABLE activity RENAME TO activity_away");
    authorize(&gate, &key);
    eventually("rejected", || {
        metric(&gate, "latchkey_meter_rejected_total") == 1
    });
    // It is counted a moment before it is put aside.
    let rejected = world.dir.path().join("spill/rejected");
    eventually("put aside", || {
        fs::read_dir(&rejected).is_ok_and(|files| files.count() == 1)
    });
    world.sql("ALTER TABLE activity_away RENAME TO activity");
    authorize(&gate, &key);
    eventually("goes on", || world.counted(key.key_id) == 1);
}

#[test]
fn t_54_metrics_have_closed_labels_and_name_nobody() {
    let world = World::new();
    let key = world.plain_key();
    let gate = world.gate();
    authorize(&gate, &key);
    let bearer = format!("Bearer {}", world.plain_key().secret());
    send(
        &gate,
        forwarded("/v1/authorize").insert_header(("Authorization", bearer)),
    );
    let page = send(&gate, request("GET", "/metrics")).body;
    assert!(
        page.contains("latchkey_verdicts_total{code=\"VALID\"} 2\n"),
        "{page}"
    );
    assert!(page.contains("latchkey_key_source_total{source=\"header\"} 1\n"));
    assert!(page.contains("latchkey_key_source_total{source=\"authorization\"} 1\n"));
    assert!(page.contains("latchkey_replica_secrets 2\n"));
    assert!(page.contains("latchkey_replica_keys 2\n"));
    for name in ["acme", "maps", &key.key_id.to_string(), key.secret()] {
        assert!(!page.contains(name), "the metrics name {name}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}
