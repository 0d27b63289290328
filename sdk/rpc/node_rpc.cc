#include "sdk/rpc/node_rpc.h"

#include <noderpc.pb.h>

#include <algorithm>
#include <map>

#include "sdk/rpc/client.h"
#include "sdk/rpc/server.h"

namespace drover {
namespace {
constexpr const char* call_path = "/drover.rpc.Node/Call";
constexpr const char* stream_path = "/drover.rpc.Node/Stream";
using rpc::proto::CallReply;
using rpc::proto::CallRequest;
using rpc::proto::Frame;

// Errors travel as values in the answer, not as gRPC statuses: any length, every field.
void put_failure(rpc::proto::Failure& out, const Error& error) {
  out.set_code(static_cast<std::uint32_t>(error.code()));
  out.set_message(error.message());
  out.set_sys_errno(error.sys_errno());
  out.set_http_status(error.http_status());
  out.set_recoverable(error.recoverable());
}
Error get_failure(const rpc::proto::Failure& in) {
  const auto code = in.code() <= static_cast<std::uint32_t>(Code::no_leader) ? static_cast<Code>(in.code()) : Code::internal;
  return Error(code, in.message()).with_errno(in.sys_errno()).with_http_status(in.http_status()).with_recoverable(in.recoverable());
}

// Either side of a stream over framed messages. The caller's side owns the transport, the handler's borrows it.
class FramedStream final : public NodeStream {
 public:
  FramedStream(rpc::Stream& stream, std::unique_ptr<rpc::Stream> owned) : stream_(stream), owned_(std::move(owned)) {}

  Async<std::optional<std::string>> receive() override {
    if (first_) {
      auto payload = std::move(first_);
      first_.reset();
      co_return payload;
    }
    if (over_) co_return std::nullopt;
    auto bytes = co_await stream_.receive();
    if (!bytes) {
      over_ = true;
      end_ = stream_.status();
      if (owned_ && end_) end_ = fail(Code::unavailable, "the stream ended without a result");
      co_return std::nullopt;
    }
    Frame frame;
    if (!frame.ParseFromString(*bytes)) {
      over_ = true;
      end_ = fail(Code::internal, "the other side sent a malformed frame");
      co_return std::nullopt;
    }
    if (frame.end()) {
      over_ = true;
      if (frame.has_failure()) end_ = fail(get_failure(frame.failure()));
      co_return std::nullopt;
    }
    co_return std::move(*frame.mutable_payload());
  }
  Async<bool> send(std::string message) override {
    if (closed_) co_return false;
    Frame frame;
    frame.set_payload(std::move(message));
    std::string bytes = frame.SerializeAsString();
    const bool sent = co_await stream_.send(std::move(bytes));
    co_return sent;
  }
  void close() override {
    closed_ = true;
    stream_.close_send();
  }
  Result<> end() const override { return end_; }
  void put_first(std::string payload) { first_ = std::move(payload); }

 private:
  rpc::Stream& stream_;
  std::unique_ptr<rpc::Stream> owned_;
  std::optional<std::string> first_;
  Result<> end_;
  bool over_ = false, closed_ = false;
};
}  // namespace

struct NodeRpcServer::Impl {
  explicit Impl(Executor loop) : executor(loop), server(std::move(loop)) {
    server.handle(call_path, [this](CallInfo info, std::string request) { return answer(std::move(info), std::move(request)); });
    server.handle_stream(stream_path, [this](CallInfo info, rpc::Stream& stream) { return serve(std::move(info), stream); });
  }

  Async<Result<std::string>> answer(CallInfo info, std::string bytes) {
    CallRequest request;
    CallReply reply;
    if (!request.ParseFromString(bytes)) {
      put_failure(*reply.mutable_failure(), Error(Code::invalid_argument, "the request is malformed"));
      co_return reply.SerializeAsString();
    }
    if (refused(info, request.method())) {
      put_failure(*reply.mutable_failure(), not_a_server(request.method()));
      co_return reply.SerializeAsString();
    }
    const auto handler = unary.find(request.method());
    if (handler == unary.end()) {
      put_failure(*reply.mutable_failure(), Error(Code::unimplemented, fmt::format("unknown RPC \"{}\"", request.method())));
      co_return reply.SerializeAsString();
    }
    info.method = request.method();
    auto result = co_await handler->second(std::move(info), std::move(*request.mutable_payload()));
    if (result) reply.set_payload(std::move(*result));
    else put_failure(*reply.mutable_failure(), result.error());
    co_return reply.SerializeAsString();
  }

  Async<Result<>> serve(CallInfo info, rpc::Stream& stream) {
    auto bytes = co_await stream.receive();
    Frame first;
    if (!bytes || !first.ParseFromString(*bytes)) co_return fail(Code::invalid_argument, "the stream's first frame is malformed");
    Frame last;
    last.set_end(true);
    const auto handler = streams.find(first.method());
    if (refused(info, first.method())) {
      put_failure(*last.mutable_failure(), not_a_server(first.method()));
    } else if (handler == streams.end()) {
      put_failure(*last.mutable_failure(), Error(Code::unimplemented, fmt::format("unknown RPC stream \"{}\"", first.method())));
    } else {
      info.method = first.method();
      FramedStream framed(stream, nullptr);
      framed.put_first(std::move(*first.mutable_payload()));
      const auto result = co_await handler->second(std::move(info), framed);
      if (!result) put_failure(*last.mutable_failure(), result.error());
    }
    std::string frame = last.SerializeAsString();
    [[maybe_unused]] const bool sent = co_await stream.send(std::move(frame));
    co_return Result<>{};
  }

  [[nodiscard]] bool refused(const CallInfo& info, const std::string& method) const {
    return !info.from_server && std::ranges::any_of(servers_only, [&](const std::string& prefix) { return method.starts_with(prefix); });
  }
  static Error not_a_server(const std::string& method) {
    return Error(Code::permission_denied, fmt::format("\"{}\" is for servers: the caller's certificate has no name \"server.<region>.nomad\"", method));
  }

  std::map<std::string, UnaryHandler, std::less<>> unary;
  std::map<std::string, StreamHandler, std::less<>> streams;
  Executor executor;
  std::vector<std::string> servers_only;
  int port = 0;
  rpc::Server server;
  std::unique_ptr<NodeListener> listener;
};

NodeRpcServer::NodeRpcServer(Executor executor) : impl_(std::make_unique<Impl>(std::move(executor))) {}
NodeRpcServer::~NodeRpcServer() = default;

void NodeRpcServer::handle(std::string method, UnaryHandler handler) { impl_->unary[std::move(method)] = std::move(handler); }

void NodeRpcServer::handle_stream(std::string method, StreamHandler handler) { impl_->streams[std::move(method)] = std::move(handler); }

Result<> NodeRpcServer::listen(const std::string& host_port) {
  const auto port = impl_->server.listen(host_port);
  if (!port) return fail(port.error());
  impl_->port = *port;
  return {};
}

Result<> NodeRpcServer::listen_tls(const std::string& host_port, std::shared_ptr<const NodeTls> tls, const Logger& log) {
  if (!impl_->listener) {
    impl_->listener = std::make_unique<NodeListener>(impl_->executor, log, std::move(tls), [impl = impl_.get()](Fd connection, bool from_server) {
      impl->server.adopt_agent(std::move(connection), from_server);
    });
  }
  const auto port = impl_->listener->listen(host_port);
  if (!port) return fail(port.error());
  impl_->port = *port;
  return {};
}

void NodeRpcServer::set_servers_only(std::vector<std::string> prefixes) { impl_->servers_only = std::move(prefixes); }

int NodeRpcServer::port() const { return impl_->port; }

Async<> NodeRpcServer::stop() {
  if (impl_->listener) co_await impl_->listener->close();
  co_await impl_->server.stop();
}

struct NodeRpcClient::Impl {
  explicit Impl(std::shared_ptr<rpc::Client> given) : client(std::move(given)) {}
  Impl(Executor loop, std::string address, std::shared_ptr<const NodeTls> with) : executor(std::move(loop)), host_port(std::move(address)), tls(std::move(with)) {
    connect();
  }

  void connect() {
    secure = tls && tls->options().enabled;
    client.reset();
    dialer.reset();
    std::string target = host_port;
    if (secure) {
      dialer = std::make_unique<NodeDialer>(executor, tls, host_port);
      auto place = dialer->open();
      // Without a place nobody is reached, and the calls say so.
      target = place ? *place : "unix-abstract:";
    }
    client = rpc::Client::connect(executor, target, true);
  }
  // The connection as the settings want it now.
  std::shared_ptr<rpc::Client> current() {
    if (tls && tls->options().enabled != secure) connect();
    return client;
  }
  // gRPC knows only that the connection ended; the dialer knows why.
  [[nodiscard]] Error explain(Error error) const {
    if (!dialer || dialer->problem().empty() || error.code() != Code::unavailable) return error;
    return Error(Code::unavailable, fmt::format("failed to connect: {}", dialer->problem()));
  }

  Executor executor;
  std::string host_port;
  std::shared_ptr<const NodeTls> tls;
  bool secure = false;
  std::unique_ptr<NodeDialer> dialer;
  std::shared_ptr<rpc::Client> client;
};

NodeRpcClient::NodeRpcClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeRpcClient::~NodeRpcClient() = default;

std::unique_ptr<NodeRpcClient> NodeRpcClient::connect(Executor executor, const std::string& host_port, std::shared_ptr<const NodeTls> tls) {
  return std::unique_ptr<NodeRpcClient>(new NodeRpcClient(std::make_unique<Impl>(std::move(executor), host_port, std::move(tls))));
}

std::unique_ptr<NodeRpcClient> NodeRpcClient::in_process(Executor, NodeRpcServer& server) {
  return std::unique_ptr<NodeRpcClient>(new NodeRpcClient(std::make_unique<Impl>(server.impl_->server.in_process())));
}

Async<Result<std::string>> NodeRpcClient::call(std::string method, std::string payload, std::chrono::nanoseconds deadline) {
  CallRequest request;
  request.set_method(method);
  request.set_payload(std::move(payload));
  std::string bytes = request.SerializeAsString();
  const auto client = impl_->current();
  auto answer = co_await client->call(call_path, std::move(bytes), deadline);
  // gRPC's words when there was no connection to send the request on: nobody has got it.
  const bool unsent = !answer && answer.error().message().find("failed to connect") != std::string::npos;
  if (!answer) co_return fail(Error(impl_->explain(answer.error()).context(fmt::format("calling {}", method))).with_recoverable(unsent));
  CallReply reply;
  if (!reply.ParseFromString(*answer)) co_return fail(Code::internal, "calling {}: the answer is malformed", method);
  if (reply.has_failure()) co_return fail(get_failure(reply.failure()));
  co_return std::move(*reply.mutable_payload());
}

Async<Result<std::unique_ptr<NodeStream>>> NodeRpcClient::open(std::string method, std::string first_payload) {
  auto stream = impl_->current()->open(stream_path);
  Frame first;
  first.set_method(method);
  first.set_payload(std::move(first_payload));
  std::string bytes = first.SerializeAsString();
  const bool sent = co_await stream->send(std::move(bytes));
  if (!sent) {
    [[maybe_unused]] const auto nothing = co_await stream->receive();
    const auto status = stream->status();
    co_return fail(status ? Error(Code::unavailable, "the stream was closed") : impl_->explain(status.error()), "opening stream {}", method);
  }
  rpc::Stream& borrowed = *stream;
  std::unique_ptr<NodeStream> out = std::make_unique<FramedStream>(borrowed, std::move(stream));
  co_return out;
}

}  // namespace drover
