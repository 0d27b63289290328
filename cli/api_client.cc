#include "cli/api_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <optional>

#include "lib/http/client.h"
#include "sdk/async/scope.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
template <class T>
Async<> keep(Async<Result<T>> work, std::optional<Result<T>>& out) {
  auto result = co_await std::move(work);
  out.emplace(std::move(result));
}

ApiAnswer to_answer(const http::ClientResponse& response) {
  ApiAnswer out;
  out.status = response.status;
  out.body = response.body;
  out.content_type = response.headers.get("Content-Type");
  out.next_token = response.headers.get("X-Nomad-NextToken");
  const std::string_view index = response.headers.get("X-Nomad-Index");
  std::from_chars(index.data(), index.data() + index.size(), out.index);
  return out;
}

Async<Result<>> read_stream(http::Client& client, http::ClientRequest request, const std::function<bool(std::string_view)>& part) {
  auto opened = co_await client.stream(std::move(request));
  if (!opened) co_return fail(opened.error());
  http::StreamingResponse& response = **opened;
  if (response.head().status != 200) {
    auto body = co_await response.read_all();
    co_return fail(api_error(response.head().status, body ? *body : ""));
  }
  for (;;) {
    auto piece = co_await response.read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty() || !part(*piece)) co_return Result<>{};
  }
}

Async<Result<int>> run_socket(http::Client& client, http::ClientRequest request, const std::function<Async<Result<int>>(http::WebSocket&)>& session) {
  auto socket = co_await client.websocket(std::move(request));
  if (!socket) {
    const int status = socket.error().http_status();
    co_return fail(status != 0 ? api_error(status, socket.error().message()) : socket.error());
  }
  auto result = co_await session(**socket);
  co_return result;
}
}  // namespace

struct ApiClient::Impl {
  asio::io_context loop{1};
  GeneralOptions options;
  std::string shown_address;
  Result<http::Client> client = fail(Code::internal, "not connected");

  // Runs one coroutine to its end.
  template <class T>
  Result<T> finish(Async<Result<T>> work) {
    std::optional<Result<T>> out;
    Scope scope(loop.get_executor());
    scope.spawn(keep(std::move(work), out));
    loop.restart();
    while (!out && loop.run_one() != 0) {}
    if (!out) return fail(Code::internal, "the request ended without an answer");
    return std::move(*out);
  }

  http::ClientRequest request(std::string method, std::string_view path, QueryPairs query, std::string body) const {
    http::Query pairs;
    const auto named = [&](std::string_view name) {
      for (const auto& [key, value] : query) {
        if (key == name) return true;
      }
      return false;
    };
    if (!options.region.empty() && !named("region")) pairs.add("region", options.region);
    if (!options.namespace_.empty() && !named("namespace")) pairs.add("namespace", options.namespace_);
    for (auto& [key, value] : query) pairs.add(std::move(key), std::move(value));
    http::ClientRequest out;
    out.method = std::move(method);
    out.target = std::string(path);
    if (!pairs.empty()) out.target += (path.find('?') == std::string_view::npos ? "?" : "&") + pairs.encode();
    out.body = std::move(body);
    authorize(out);
    return out;
  }

  void authorize(http::ClientRequest& request) const {
    if (!options.token.empty()) request.headers.set("X-Nomad-Token", options.token);
    if (const char* basic = std::getenv("NOMAD_HTTP_AUTH"); basic != nullptr && *basic != '\0') {
      request.headers.set("Authorization", "Basic " + base64_encode(basic));
    }
  }

  Result<ApiAnswer> send(http::ClientRequest request) {
    if (!client) return fail(client.error());
    const std::string method = request.method;
    const std::string url = shown_address + request.target;
    auto response = finish(client->send(std::move(request)));
    if (!response) return fail(response.error(), "{} \"{}\"", method == "PUT" ? "Put" : method == "DELETE" ? "Delete" : "Get", url);
    return to_answer(*response);
  }
  Result<ApiAnswer> checked(http::ClientRequest request) {
    auto answer = send(std::move(request));
    if (answer && answer->status != 200) return fail(api_error(answer->status, answer->body));
    return answer;
  }
};

ApiClient::ApiClient(const GeneralOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->shown_address = options.address;
  auto address = http::Address::parse(options.address);
  if (!address) {
    impl_->client = fail(address.error(), "invalid address \"{}\"; use http://host:port, https://host:port or unix:///path", options.address);
    return;
  }
  http::ClientOptions client;
  client.tls.ca_file = options.ca_cert;
  client.tls.ca_path = options.ca_path;
  client.tls.certificate_file = options.client_cert;
  client.tls.key_file = options.client_key;
  client.tls.server_name = options.tls_server_name;
  client.tls.skip_verify = options.tls_skip_verify;
  impl_->client = http::Client(impl_->loop.get_executor(), std::move(*address), client);
}

ApiClient::~ApiClient() = default;

Result<ApiAnswer> ApiClient::get(std::string_view path, QueryPairs query) {
  return impl_->checked(impl_->request("GET", path, std::move(query), ""));
}

Result<ApiAnswer> ApiClient::put(std::string_view path, std::string body, QueryPairs query) {
  return impl_->checked(impl_->request("PUT", path, std::move(query), std::move(body)));
}

Result<ApiAnswer> ApiClient::put_file(std::string_view path, FileBody file) {
  http::ClientRequest request = impl_->request("PUT", path, {}, "");
  request.body_file = file.file;
  request.body_file_bytes = file.bytes;
  return impl_->checked(std::move(request));
}

Result<ApiAnswer> ApiClient::remove(std::string_view path, QueryPairs query) {
  return impl_->checked(impl_->request("DELETE", path, std::move(query), ""));
}

Result<ApiAnswer> ApiClient::raw(std::string method, std::string target, std::string body,
                                 std::vector<std::pair<std::string, std::string>> headers, FileBody file) {
  http::ClientRequest request = impl_->request(std::move(method), target, {}, std::move(body));
  request.body_file = file.file;
  request.body_file_bytes = file.bytes;
  for (const auto& [name, value] : headers) request.headers.set(name, value);
  return impl_->send(std::move(request));
}

Result<> ApiClient::stream(std::string_view path, QueryPairs query, const std::function<bool(std::string_view)>& part) {
  if (!impl_->client) return fail(impl_->client.error());
  return impl_->finish(read_stream(*impl_->client, impl_->request("GET", path, std::move(query), ""), part));
}

Result<int> ApiClient::websocket(std::string_view path, QueryPairs query, const std::function<Async<Result<int>>(http::WebSocket&)>& session) {
  if (!impl_->client) return fail(impl_->client.error());
  return impl_->finish(run_socket(*impl_->client, impl_->request("GET", path, std::move(query), ""), session));
}

const std::string& ApiClient::address() const { return impl_->shown_address; }

Error api_error(int status, std::string_view body) {
  std::string message = fmt::format("Unexpected response code: {} ({})", status, trim(body));
  Code code = Code::internal;
  if (status == 404) code = Code::not_found;
  else if (status == 403) code = Code::permission_denied;
  else if (status == 400) code = Code::invalid_argument;
  return Error(code, std::move(message)).with_http_status(status);
}

std::string escape(std::string_view segment) { return http::percent_encode(segment, false); }

}  // namespace drover::cli
