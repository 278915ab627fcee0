//! A warm call: one connection, client and daemon on the same processor.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use claudectl_proto::v1::{GetStatusRequest, daemon_service_client::DaemonServiceClient};

use crate::{
    place::{self, Place, built, pin},
    product::Product,
    sample::{self, Samples, Scale},
    table::{Table, Target, number},
};

/// Calls in a row, before it is the other's turn.
const BLOCK: usize = 500;

pub(super) fn measure(table: &Table, scale: Scale) {
    pin();
    let place = Place::new();
    let Some(server) = built("ECHO_SERVER") else { return table.absent("warm call, C echo") };
    let socket = place.path("echo");
    let mut command = place.command(server);
    command.arg(&socket);
    let Some(_server) = place::server(command, &socket) else { return table.absent("warm call, C echo") };
    let mut echo = UnixStream::connect(&socket).expect("the echo answers");
    let Some(product) = Product::start() else { return table.absent("warm call, claudectld") };
    let mut client = DaemonServiceClient::new(product.channel());

    let mut samples = [Samples::default(), Samples::default()];
    let rounds = scale.pick(60, 12);
    sample::interleave(2, rounds, Duration::from_secs(30), |contender| {
        let own = &mut samples[contender];
        if contender == 0 {
            (0..BLOCK).for_each(|_| own.push(sample::time(|| ask(&mut echo))));
        } else {
            product.block_on(async {
                for _ in 0..BLOCK {
                    let start = Instant::now();
                    client.get_status(GetStatusRequest::default()).await.expect("a status");
                    own.push(start.elapsed());
                }
            });
        }
    });
    print(table, &samples);
}

fn ask(echo: &mut UnixStream) {
    let mut message = [0; 64];
    echo.write_all(&message).expect("the echo takes it");
    echo.read_exact(&mut message).expect("the echo answers");
}

fn print(table: &Table, [echo, status]: &[Samples; 2]) {
    let micro = |samples: &Samples| {
        format!("p50 {} µs, p99 {} µs", number(samples.median()), number(samples.percentile(0.99)))
    };
    table.row(&["warm call, C echo, same core".to_owned(), micro(echo), "1.00".to_owned()]);
    let ratio = status.median() / echo.median();
    let spread = status.percentile(0.99) / status.median();
    let ratios = format!("{}, p99 {} × p50", number(ratio), number(spread));
    let worst = (ratio / 5.5).max(spread / 1.5);
    let verdict = Target::at_most(1.0, worst).verdict().to_owned();
    let target = "≤ 5.5 × C echo, p99 ≤ 1.5 × p50".to_owned();
    table.row(&["warm call, GetStatus, same core".to_owned(), micro(status), ratios, target, verdict]);
}
