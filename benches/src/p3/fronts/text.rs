//! The configurations of the peers: one thread, streaming, upstream connections kept, one
//! credential header replaced, no log.

use super::Upstreams;
use crate::{place::Place, product::KEY};

pub(super) fn nginx(place: &Place, upstreams: &Upstreams) -> String {
    let Upstreams { plain, tls, authority } = upstreams;
    let path = |name: &str| place.text(name);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {};\n", path(&format!("nginx/{kind}"))))
        .concat();
    let (plain_socket, tls_socket) = (path("nginx-plain"), path("nginx-tls"));
    format!(
        "daemon off; master_process off; worker_processes 1; pid {pid};
events {{ worker_connections 4096; }}
http {{
{temporary}  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 32m;
  upstream plain {{ server 127.0.0.1:{plain}; keepalive 512; keepalive_requests 100000000; }}
  upstream tls {{ server 127.0.0.1:{tls}; keepalive 512; keepalive_requests 100000000; }}
  proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Authorization \"\";
  proxy_set_header x-api-key \"{KEY}\"; proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 600s;
  proxy_ssl_protocols TLSv1.3; proxy_ssl_verify on; proxy_ssl_name localhost;
  proxy_ssl_trusted_certificate {authority};
  server {{ listen unix:{plain_socket}; location / {{ proxy_pass http://plain; }} }}
  server {{ listen unix:{tls_socket}; location / {{ proxy_pass https://tls; }} }}
}}
",
        pid = path("nginx/pid"),
    )
}

pub(super) fn haproxy(place: &Place, upstreams: &Upstreams) -> String {
    let Upstreams { plain, tls, authority } = upstreams;
    let (plain_socket, tls_socket) = (place.text("haproxy-plain"), place.text("haproxy-tls"));
    format!(
        "global
  nbthread 1
  maxconn 4096
defaults
  mode http
  http-reuse always
  option http-no-delay
  timeout connect 10s
  timeout client 600s
  timeout server 600s
frontend plain
  bind unix@{plain_socket}
  http-request del-header authorization
  http-request set-header x-api-key {KEY}
  default_backend plain
frontend tls
  bind unix@{tls_socket}
  http-request del-header authorization
  http-request set-header x-api-key {KEY}
  default_backend tls
backend plain
  server one 127.0.0.1:{plain} pool-max-conn 512
backend tls
  server one 127.0.0.1:{tls} pool-max-conn 512 ssl verify required ca-file {authority} ssl-min-ver TLSv1.3
"
    )
}
