#include "cli/agent/http_listeners.h"

#include "sdk/base/text.h"

namespace drover::cli {
namespace {
std::optional<http::TlsServerOptions> tls_of(const agent::TlsConfig& config) {
  if (!config.http) return std::nullopt;
  http::TlsServerOptions out{.certificate_file = config.cert_file, .key_file = config.key_file, .ca_file = config.ca_file,
                             .verify_client = config.verify_https_client};
  if (!config.tls_min_version.empty()) out.min_version = config.tls_min_version;
  return out;
}
}  // namespace

Result<> HttpListeners::open(const agent::Config& config) {
  addresses_ = split(config.addresses.http, ' ');
  port_ = static_cast<std::uint16_t>(config.ports.http);
  tls_ = tls_of(config.tls);
  return listen(tls_);
}

Result<> HttpListeners::listen(const std::optional<http::TlsServerOptions>& tls) {
  for (const std::string& address : addresses_) {
    auto listening = server_.listen_tcp(address, port_, {.tag = {}, .tls = tls});
    if (!listening && listening.error().sys_errno() == 0) return fail(listening.error(), "listening for HTTP on {}:{}", address, port_);
    if (!listening) return fail(listening.error(), "listening for HTTP on {}:{}; choose another with ports.http or addresses.http", address, port_);
    open_.push_back(*listening);
  }
  return {};
}

Result<> HttpListeners::reload(const agent::Config& config) {
  auto wanted = tls_of(config.tls);
  if (wanted == tls_) return server_.reload_tls();
  if (wanted) {
    // On a port of its own first: what is wrong with the files shows while the old listeners still stand.
    auto trial = server_.listen_tcp("127.0.0.1", 0, {.tag = {}, .tls = wanted});
    if (!trial) return fail(trial.error());
    server_.close_listener(*trial);
  }
  for (const http::ListenerId id : open_) server_.close_listener(id);
  open_.clear();
  tls_ = std::move(wanted);
  return listen(tls_);
}

}  // namespace drover::cli
