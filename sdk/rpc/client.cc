#include "sdk/rpc/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <vector>

#include "sdk/async/event.h"
#include "sdk/base/defer.h"
#include "sdk/rpc/client_impl.h"

namespace drover::rpc {
namespace {

// One unary call. gRPC refers to it until its callback has run.
struct UnaryCall final : ClientCall {
  explicit UnaryCall(const Executor& executor) : changed(executor) {}
  void give_up() override {
    context.TryCancel();
    finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the connection was closed"));
  }
  void finish(const grpc::Status& result) {
    if (done) return;
    status = result;
    done = true;
    changed.notify_all();
  }

  grpc::ClientContext context;
  grpc::ByteBuffer request, response;
  grpc::Status status;
  Condition changed;
  bool done = false;
};

// One streaming call. Operations start on the loop, outside any reaction, so a hold keeps gRPC from ending the reactor
// under us; it is dropped exactly once, after which nothing may be started.
class StreamCall final : public ClientCall, public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  explicit StreamCall(std::shared_ptr<Gate> gate) : gate_(std::move(gate)), changed_(gate_->executor()) {}

  void start(grpc::GenericStub& stub, const std::string& path) {
    self_ = shared_from_this();
    gate_->begin();
    stub.PrepareBidiStreamingCall(&context_, path, {}, this);
    AddHold();
    StartCall();
  }
  void give_up() override {
    if (!done_) context_.TryCancel();
    drop_hold();
    if (done_) return;
    finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the connection was closed"));
  }

  Async<std::optional<std::string>> receive() {
    const auto keep = shared_from_this();
    if (!held_) co_return std::nullopt;
    if (!reading_) {
      reading_ = true;
      read_done_ = false;
      StartRead(&in_);
    }
    while (!read_done_ && !done_) co_await changed_.wait();
    reading_ = false;
    if (read_done_ && read_ok_) {
      std::string bytes = to_bytes(in_);
      co_return bytes;
    }
    drop_hold();
    while (!done_) co_await changed_.wait();
    co_return std::nullopt;
  }
  Async<bool> send(std::string message) {
    const auto keep = shared_from_this();
    while (writing_ && held_) co_await changed_.wait();
    if (!held_ || closed_ || write_failed_) co_return false;
    out_ = to_buffer(message);
    writing_ = true;
    StartWrite(&out_);
    while (writing_ && !done_) co_await changed_.wait();
    co_return !write_failed_ && !done_;
  }
  void close_send() {
    if (!held_ || closed_) return;
    closed_ = true;
    // A write under way comes first: gRPC keeps the order.
    StartWritesDone();
  }
  Result<> status() const {
    if (!done_ || status_.ok()) return {};
    return fail(to_error(status_));
  }

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
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Gate> gate = gate_;
    {
      auto self = std::move(self_);
      gate->post([self = std::move(self), status] { self->finish(status); });
    }
    gate->end();
  }
  void finish(const grpc::Status& status) {
    if (done_) return;
    status_ = status;
    done_ = true;
    changed_.notify_all();
  }
  void drop_hold() {
    if (!held_) return;
    held_ = false;
    RemoveHold();
  }

  std::shared_ptr<Gate> gate_;
  std::shared_ptr<StreamCall> self_;
  grpc::ClientContext context_;
  grpc::ByteBuffer in_, out_;
  grpc::Status status_;
  Condition changed_;
  bool held_ = true;
  bool reading_ = false, read_done_ = false, read_ok_ = false;
  bool writing_ = false, write_failed_ = false, closed_ = false;
  bool done_ = false;
};

class OpenStream final : public Stream {
 public:
  OpenStream(std::shared_ptr<StreamCall> call, std::shared_ptr<ClientCore> core) : call_(std::move(call)), core_(std::move(core)) {}
  ~OpenStream() override {
    call_->give_up();
    core_->forget(call_.get());
  }
  Async<std::optional<std::string>> receive() override { return call_->receive(); }
  Async<bool> send(std::string message) override { return call_->send(std::move(message)); }
  void close_send() override { call_->close_send(); }
  Result<> status() const override { return call_->status(); }

 private:
  std::shared_ptr<StreamCall> call_;
  std::shared_ptr<ClientCore> core_;
};

}  // namespace

void ClientCore::forget(ClientCall* call) { std::erase(calls, call); }

grpc::ChannelArguments channel_arguments(int max_receive_bytes) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, max_receive_bytes);  // of two settings the first would count
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1 << 20);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Connections are never shared between clients: a restarted plugin is another server at another address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Despite its name, how long one attempt may take: with little, a busy machine connects to nobody.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  return arguments;
}

std::shared_ptr<Client> Client::connect(Executor executor, const std::string& target, bool watch_peer, int max_receive_bytes) {
  grpc::ChannelArguments arguments = channel_arguments(max_receive_bytes);
  if (watch_peer) set_keepalive([&](const char* name, int value) { arguments.SetInt(name, value); });
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  return std::make_shared<Client>(std::make_shared<ClientCore>(std::move(executor), std::move(channel)));
}

Client::Client(std::shared_ptr<ClientCore> core) : core_(std::move(core)) {}

Client::~Client() {
  core_->gate->close();
  const std::vector<ClientCall*> calls = std::move(core_->calls);
  core_->calls.clear();
  core_->closed = true;
  for (ClientCall* call : calls) call->give_up();
  core_->gate->wait_idle();
}

Async<Result<std::string>> Client::call(std::string path, std::string request, std::chrono::nanoseconds deadline) {
  // The coroutine may outlive the Client.
  const std::shared_ptr<ClientCore> core = core_;
  if (core->closed) co_return fail(Code::unavailable, "the connection was closed");
  const auto call = std::make_shared<UnaryCall>(core->gate->executor());
  call->request = to_buffer(request);
  if (deadline.count() > 0) {
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(deadline));
  }
  core->calls.push_back(call.get());
  const Defer forget([&] {
    core->forget(call.get());
    if (!call->done) call->context.TryCancel();
  });
  core->gate->begin();
  core->stub.UnaryCall(&call->context, path, {}, &call->request, &call->response,
                       [held = call, gate = core->gate](const grpc::Status& status) mutable {
                         const std::shared_ptr<Gate> open = std::move(gate);
                         open->post([done = std::move(held), status] { done->finish(status); });
                         held.reset();
                         open->end();
                       });
  while (!call->done) co_await call->changed.wait();
  if (!call->status.ok()) co_return fail(to_error(call->status));
  co_return to_bytes(call->response);
}

std::unique_ptr<Stream> Client::open(const std::string& path) {
  auto call = std::make_shared<StreamCall>(core_->gate);
  call->start(core_->stub, path);
  core_->calls.push_back(call.get());
  return std::make_unique<OpenStream>(std::move(call), core_);
}

}  // namespace drover::rpc
