#include "lib/http/client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "lib/http/client_connection.h"
#include "lib/http/websocket_beast.h"

namespace drover::http {

namespace {
std::string request_text(const Address& address, const ClientRequest& request, bool accept_gzip) {
  std::string out;
  out.reserve(512);
  const auto& base = address.kind == Address::Kind::unix_socket ? std::string() : address.path;
  fmt::format_to(std::back_inserter(out), "{} {}{} HTTP/1.1\r\n", request.method, base, request.target);
  if (!request.headers.has("Host")) fmt::format_to(std::back_inserter(out), "Host: {}\r\n", address.authority());
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers.at(i);
    out.append(name).append(": ");
    for (const char c : value) out.push_back(c == '\r' || c == '\n' ? ' ' : c);
    out.append("\r\n");
  }
  if (accept_gzip && !request.headers.has("Accept-Encoding")) out.append("Accept-Encoding: gzip\r\n");
  const std::uint64_t length = request.body_file >= 0 ? request.body_file_bytes : request.body.size();
  const bool states_length = length > 0 || request.method == "PUT" || request.method == "POST";
  if (states_length) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  return out.append("\r\n");
}

ClientResponse to_response(ResponseHead& head) {
  ClientResponse out;
  out.status = head.status;
  out.reason = std::move(head.reason);
  out.headers = std::move(head.headers);
  return out;
}

// Sent again after a kept connection turned out dead, without harm.
bool is_idempotent(std::string_view method) { return method != "POST" && method != "PATCH"; }

// False when the server takes no more, or the file ends early.
Async<bool> write_file(AnyStream& stream, int file, std::uint64_t bytes) {
  std::string part;
  for (std::uint64_t at = 0; at < bytes; at += part.size()) {
    part.resize(std::min<std::uint64_t>(bytes - at, 256 * 1024));
    const ssize_t got = ::pread(file, part.data(), part.size(), static_cast<off_t>(at));
    if (got <= 0) co_return false;
    part.resize(static_cast<std::size_t>(got));
    const bool sent = co_await write_all(stream, part, {});
    if (!sent) co_return false;
  }
  co_return true;
}

class Streaming final : public StreamingResponse {
 public:
  Streaming(std::unique_ptr<AnswerReader> reader, std::uint64_t limit) : reader_(std::move(reader)), limit_(limit) {
    head_ = to_response(reader_->head());
  }
  ~Streaming() override { reader_->stream()->abort(); }

  const ClientResponse& head() const override { return head_; }

  Async<Result<std::string>> read() override {
    std::string out;
    if (!kept_.empty()) {
      std::swap(out, kept_);
      co_return out;
    }
    const auto more = co_await reader_->read_part(out, limit_);
    if (!more) co_return fail(more.error());
    co_return out;
  }

  Async<Result<std::optional<std::string>>> read_line() override {
    std::size_t scanned = 0;
    for (;;) {
      const auto end = kept_.find('\n', scanned);
      if (end != std::string::npos) {
        auto line = kept_.substr(0, end);
        kept_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        co_return std::optional<std::string>(std::move(line));
      }
      scanned = kept_.size();
      const auto more = co_await reader_->read_part(kept_, limit_);
      if (!more) co_return fail(more.error());
      if (*more) continue;
      if (kept_.empty()) co_return std::optional<std::string>();
      std::optional<std::string> last(std::move(kept_));
      kept_.clear();
      co_return last;
    }
  }

  Async<Result<std::string>> read_all() override {
    auto out = std::move(kept_);
    kept_.clear();
    for (;;) {
      const auto more = co_await reader_->read_part(out, limit_);
      if (!more) co_return fail(more.error());
      if (!*more) co_return out;
    }
  }

 private:
  std::unique_ptr<AnswerReader> reader_;
  ClientResponse head_;
  std::string kept_;
  std::uint64_t limit_;
};

class Raw final : public RawStream {
 public:
  Raw(std::shared_ptr<AnyStream> stream, std::string rest) : stream_(std::move(stream)), rest_(std::move(rest)) {}
  ~Raw() override { stream_->abort(); }

  Async<Result<std::string>> read() override {
    std::string out;
    if (!rest_.empty()) {
      std::swap(out, rest_);
      co_return out;
    }
    [[maybe_unused]] const bool more = co_await read_more(*stream_, out, 32 * 1024);
    co_return out;
  }
  Async<Result<>> write(std::string_view data) override {
    const bool sent = co_await write_all(*stream_, data, {});
    if (!sent) co_return fail(Code::unavailable, "writing to the stream: the other side has closed it");
    co_return Result<>();
  }
  void shutdown_write() override { stream_->shutdown_write(); }

 private:
  std::shared_ptr<AnyStream> stream_;
  std::string rest_;
};
}  // namespace

struct Client::Impl {
  Impl(Executor executor, Address where, ClientOptions wanted)
      : loop(std::move(executor)), address(std::move(where)), options(std::move(wanted)) {}

  Executor loop;
  Address address;
  ClientOptions options;
  std::vector<std::shared_ptr<AnyStream>> idle;

  // A connection the server has kept open, or null.
  std::shared_ptr<AnyStream> take_idle() {
    while (!idle.empty()) {
      auto stream = std::move(idle.back());
      idle.pop_back();
      char byte;
      // Anything to read on an idle connection is its end, or nonsense.
      const auto size = ::recv(stream->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return stream;
    }
    return nullptr;
  }

  void keep(std::shared_ptr<AnyStream> stream) {
    if (idle.size() < options.max_idle_connections) idle.push_back(std::move(stream));
  }

  // Sends the request and reads the head of its answer, on a kept connection or a new one.
  static Async<Result<std::unique_ptr<AnswerReader>>> begin(std::shared_ptr<Impl> self, const ClientRequest& request,
                                                            std::unique_ptr<CutOff>& cut) {
    const auto text = request_text(self->address, request, self->options.accept_gzip);
    for (;;) {
      auto stream = self->take_idle();
      const bool kept = stream != nullptr;
      if (!kept) {
        auto dialled = co_await dial(self->loop, self->address, self->options);
        if (!dialled) co_return fail(dialled.error());
        stream = std::move(*dialled);
      }
      cut = std::make_unique<CutOff>(self->loop, stream, self->options.request_timeout);
      auto reader = std::make_unique<AnswerReader>(stream);
      bool sent = co_await write_all(*stream, text, request.body);
      if (sent && request.body_file >= 0) sent = co_await write_file(*stream, request.body_file, request.body_file_bytes);
      // A server may answer and close before it has read all of the body: look for the answer in any case.
      const auto answered = co_await reader->read_head(request.method == "HEAD");
      if (answered) co_return reader;
      if (cut->passed()) co_return fail(Code::deadline_exceeded, "{} {}: no answer in time", request.method, request.target);
      if (kept && reader->gone_unanswered() && is_idempotent(request.method)) continue;
      if (!sent) co_return fail(Code::unavailable, "{} {}: the server has closed the connection", request.method, request.target);
      co_return fail(answered.error(), "{} {}", request.method, request.target);
    }
  }
};

Client::Client(Executor loop, Address address, ClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(address), std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const Address& Client::address() const { return impl_->address; }

Async<Result<ClientResponse>> Client::send(ClientRequest request) {
  const auto self = impl_;
  std::unique_ptr<CutOff> cut;
  auto reader = co_await Impl::begin(self, request, cut);
  if (!reader) co_return fail(reader.error());
  auto out = to_response((*reader)->head());
  for (;;) {
    const auto more = co_await (*reader)->read_part(out.body, self->options.max_body_bytes);
    if (!more && cut->passed()) co_return fail(Code::deadline_exceeded, "{} {}: no answer in time", request.method, request.target);
    if (!more) co_return fail(more.error(), "{} {}", request.method, request.target);
    if (!*more) break;
  }
  if ((*reader)->reusable()) self->keep((*reader)->stream());
  co_return out;
}

Async<Result<std::unique_ptr<StreamingResponse>>> Client::stream(ClientRequest request) {
  const auto self = impl_;
  std::unique_ptr<CutOff> cut;
  auto reader = co_await Impl::begin(self, request, cut);
  if (!reader) co_return fail(reader.error());
  co_return std::unique_ptr<StreamingResponse>(new Streaming(std::move(*reader), self->options.max_body_bytes));
}

Async<Result<std::unique_ptr<WebSocket>>> Client::websocket(ClientRequest request) {
  const auto self = impl_;
  auto stream = co_await dial(self->loop, self->address, self->options);
  if (!stream) co_return fail(stream.error());
  const auto base = self->address.kind == Address::Kind::unix_socket ? std::string() : self->address.path;
  auto pending = connect_websocket(std::move(*stream), self->address.authority(), base + request.target, std::move(request.headers));
  co_return co_await std::move(pending);
}

Async<Result<std::unique_ptr<RawStream>>> Client::hijack(ClientRequest request) {
  const auto self = impl_;
  std::unique_ptr<CutOff> cut;
  auto reader = co_await Impl::begin(self, request, cut);
  if (!reader) co_return fail(reader.error());
  cut.reset();
  const auto status = (*reader)->head().status;
  if (status != 101 && status != 200) {
    std::string text;
    for (;;) {
      const auto more = co_await (*reader)->read_part(text, 1 << 20);
      if (!more || !*more) break;
    }
    co_return fail(Error(Code::unavailable, std::move(text)).with_http_status(status));
  }
  co_return std::unique_ptr<RawStream>(new Raw((*reader)->stream(), (*reader)->take_rest()));
}

}  // namespace drover::http
