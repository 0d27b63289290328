#include "sdk/rpc/server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <array>
#include <map>
#include <set>

#include "sdk/async/event.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/defer.h"
#include "sdk/rpc/client_impl.h"

namespace drover::rpc {
namespace {

// One call. gRPC owns the reactor until OnDone; operations are started only on the loop and only before finish().
class ServerCall final : public grpc::ServerGenericBidiReactor, public Stream, public std::enable_shared_from_this<ServerCall> {
 public:
  ServerCall(std::shared_ptr<Gate> gate, grpc::GenericCallbackServerContext& context, bool from_server)
      : gate_(std::move(gate)), changed_(gate_->executor()), cancelled_(gate_->executor()) {
    info_.method = context.method();
    info_.peer = context.peer();
    info_.from_server = from_server;
    const auto deadline = context.deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) {
      info_.time_left = std::max(deadline - std::chrono::system_clock::now(), std::chrono::system_clock::duration(1));
    }
  }
  void hold_by_grpc() {
    self_ = shared_from_this();
    gate_->begin();
  }

  [[nodiscard]] const CallInfo& info() const { return info_; }
  [[nodiscard]] Async<> wait_cancelled() { return cancelled_.wait(); }
  void finish(const grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    Finish(status);
  }
  void reply(const std::string& message) {
    if (finished_) return;
    finished_ = true;
    out_ = to_buffer(message);
    StartWriteAndFinish(&out_, {}, grpc::Status::OK);
  }

  Async<std::optional<std::string>> receive() override {
    const auto keep = shared_from_this();
    if (finished_ || input_over_) co_return std::nullopt;
    if (!reading_) {
      reading_ = true;
      read_done_ = false;
      StartRead(&in_);
    }
    while (!read_done_) co_await changed_.wait();
    reading_ = false;
    if (!read_ok_) {
      input_over_ = true;
      co_return std::nullopt;
    }
    std::string bytes = to_bytes(in_);
    co_return bytes;
  }
  Async<bool> send(std::string message) override {
    const auto keep = shared_from_this();
    while (writing_) co_await changed_.wait();
    if (finished_ || write_failed_) co_return false;
    out_ = to_buffer(message);
    writing_ = true;
    StartWrite(&out_);
    while (writing_) co_await changed_.wait();
    co_return !write_failed_;
  }
  void close_send() override {}
  Result<> status() const override { return {}; }

 private:
  void OnReadDone(bool ok) override {
    gate_->post([self = shared_from_this(), ok] {
      self->read_ok_ = ok;
      self->read_done_ = true;
      self->changed_.notify_all();
    });
  }
  void OnWriteDone(bool ok) override {
    gate_->post([self = shared_from_this(), ok] {
      self->writing_ = false;
      self->write_failed_ = !ok;
      self->changed_.notify_all();
    });
  }
  void OnCancel() override {
    gate_->post([self = shared_from_this()] { self->cancelled_.set(); });
  }
  void OnDone() override {
    const std::shared_ptr<Gate> gate = gate_;
    {
      // The last reference goes on the loop, where the waiters' timers live.
      auto self = std::move(self_);
      gate->post([self = std::move(self)] {});
    }
    gate->end();
  }

  std::shared_ptr<Gate> gate_;
  std::shared_ptr<ServerCall> self_;
  CallInfo info_;
  grpc::ByteBuffer in_, out_;
  Condition changed_;
  Event cancelled_;
  bool reading_ = false, read_done_ = false, read_ok_ = false, input_over_ = false;
  bool writing_ = false, write_failed_ = false;
  bool finished_ = false;
};

const grpc::Status cancelled_status(grpc::StatusCode::CANCELLED, "the server is stopping");

}  // namespace

// Shared by the server and by every call under way: one that was cancelled too late to be waited for unwinds after the server has gone.
struct Server::Impl : std::enable_shared_from_this<Impl> {
  // gRPC lets a generic service belong to one server, so each has its own face of the same handlers.
  struct Face final : grpc::CallbackGenericService {
    Face(Impl& owner, bool server) : impl(owner), from_server(server) {}
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override { return impl.create(context, from_server); }
    Impl& impl;
    bool from_server;
  };

  explicit Impl(Executor executor) : gate(std::make_shared<Gate>(executor)), scope(std::move(executor)) {}

  // On a gRPC thread.
  grpc::ServerGenericBidiReactor* create(grpc::GenericCallbackServerContext* context, bool from_server) {
    auto call = std::make_shared<ServerCall>(gate, *context, from_server);
    call->hold_by_grpc();
    ServerCall* const reactor = call.get();
    if (!gate->post([self = shared_from_this(), call] { self->scope.spawn(run(self, call)); })) reactor->finish(cancelled_status);
    return reactor;
  }

  static Async<> run(std::shared_ptr<Impl> self, std::shared_ptr<ServerCall> call) {
    self->calls.insert(call.get());
    // Also when this coroutine is cancelled: gRPC waits for every call to be finished.
    const Defer leave([&] {
      self->calls.erase(call.get());
      call->finish(cancelled_status);
    });
    if (self->stopping) co_return;
    using namespace asio::experimental::awaitable_operators;
    if (const auto unary = self->unary_handlers.find(call->info().method); unary != self->unary_handlers.end()) {
      auto both = answer(unary->second, call) || call->wait_cancelled();
      co_await std::move(both);
      co_return;
    }
    const auto streaming = self->stream_handlers.find(call->info().method);
    if (streaming == self->stream_handlers.end()) {
      call->finish({grpc::StatusCode::UNIMPLEMENTED, fmt::format("unknown method {}", call->info().method)});
      co_return;
    }
    auto both = serve(streaming->second, call) || call->wait_cancelled();
    co_await std::move(both);
  }

  static Async<> answer(const UnaryHandler& handler, std::shared_ptr<ServerCall> call) {
    auto request = co_await call->receive();
    if (!request) co_return;
    auto reply = co_await handler(call->info(), std::move(*request));
    if (reply) call->reply(*reply);
    else call->finish(to_status(reply.error()));
  }
  static Async<> serve(const StreamHandler& handler, std::shared_ptr<ServerCall> call) {
    const auto result = co_await handler(call->info(), *call);
    call->finish(result ? grpc::Status::OK : to_status(result.error()));
  }

  enum class Callers : std::uint8_t { plugins, servers, others };
  std::unique_ptr<grpc::Server> build(const std::string& address, int* port, Callers callers) {
    grpc::ServerBuilder builder;
    faces.push_back(std::make_unique<Face>(*this, callers != Callers::others));
    builder.RegisterCallbackGenericService(faces.back().get());
    builder.SetMaxReceiveMessageSize(-1);
    builder.SetMaxSendMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 1 << 20);
    // A port in use must be an error, not a second owner.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    if (callers != Callers::plugins) {
      set_keepalive([&](const char* name, int value) { builder.AddChannelArgument(name, value); });
    }
    if (!address.empty()) builder.AddListeningPort(address, grpc::InsecureServerCredentials(), port);
    return builder.BuildAndStart();
  }

  grpc::Server& without_listener(Callers callers = Callers::plugins) {
    grpc::Server*& place = local[static_cast<std::size_t>(callers)];
    if (place == nullptr) {
      servers.push_back(build("", nullptr, callers));
      place = servers.back().get();
    }
    return *place;
  }

  std::shared_ptr<Gate> gate;
  std::map<std::string, UnaryHandler, std::less<>> unary_handlers;
  std::map<std::string, StreamHandler, std::less<>> stream_handlers;
  std::set<ServerCall*> calls;  // loop only
  bool stopping = false;
  std::vector<std::unique_ptr<Face>> faces;  // outlive the servers
  std::vector<std::unique_ptr<grpc::Server>> servers;
  std::array<grpc::Server*, 3> local{};  // without a listener, by who calls
  Scope scope;
};

Server::Server(Executor executor) : impl_(std::make_shared<Impl>(std::move(executor))) {}

Server::~Server() {
  impl_->gate->close();
  impl_->stopping = true;
  impl_->scope.cancel();
  // Coroutines that still run were cancelled too late to be waited for; gRPC must not wait for them either.
  for (ServerCall* call : std::set<ServerCall*>(impl_->calls)) call->finish(cancelled_status);
  for (auto& server : impl_->servers) server->Shutdown(std::chrono::system_clock::now());
  impl_->servers.clear();
  impl_->gate->wait_idle();
}

void Server::handle(std::string path, UnaryHandler handler) { impl_->unary_handlers[std::move(path)] = std::move(handler); }

void Server::handle_stream(std::string path, StreamHandler handler) { impl_->stream_handlers[std::move(path)] = std::move(handler); }

Result<int> Server::listen(const std::string& address) {
  int port = 0;
  const bool is_unix = address.starts_with("unix:");
  auto server = impl_->build(address, &port, is_unix ? Impl::Callers::plugins : Impl::Callers::servers);
  if (!server || (port == 0 && !is_unix)) {
    return fail(Code::unavailable, "listening on \"{}\": the address is in use or does not belong to this machine", address);
  }
  impl_->servers.push_back(std::move(server));
  return is_unix ? 0 : port;
}

void Server::adopt(Fd connection) {
  if (!impl_->stopping) grpc::AddInsecureChannelFromFd(&impl_->without_listener(), connection.release());
}

void Server::adopt_agent(Fd connection, bool from_server) {
  if (impl_->stopping) return;
  auto& server = impl_->without_listener(from_server ? Impl::Callers::servers : Impl::Callers::others);
  grpc::AddInsecureChannelFromFd(&server, connection.release());
}

std::shared_ptr<Client> Server::in_process() {
  auto channel = impl_->without_listener().InProcessChannel(channel_arguments(-1));
  return std::make_shared<Client>(std::make_shared<ClientCore>(impl_->gate->executor(), std::move(channel)));
}

Async<> Server::stop() {
  impl_->stopping = true;
  co_await impl_->scope.close();
  auto servers = std::move(impl_->servers);
  impl_->servers.clear();
  impl_->local = {};
  Pool pool(1);
  auto work = [&servers] {
    for (auto& server : servers) server->Shutdown(std::chrono::system_clock::now());
    servers.clear();
    return true;
  };
  co_await run_blocking(pool, work);
}

}  // namespace drover::rpc
