// Shared by this folder's .cc files: the gate between gRPC's threads and the loop, bytes, and the status table.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::rpc {

// gRPC logs to stderr by itself; what it has to say comes back as a status too, and a plugin's stderr is the log channel.
void silence_grpc();

// Lets gRPC's threads post to the loop until closed, and counts the calls that gRPC still refers to, so that closing can
// wait for their last callback: afterwards nothing touches the loop any more.
class Gate {
 public:
  explicit Gate(Executor executor) : executor_(std::move(executor)) { silence_grpc(); }
  void begin() {
    const std::lock_guard lock(mutex_);
    ++calls_;
  }
  // False: closed, `work` was dropped.
  template <class F>
  bool post(F&& work) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    asio::post(executor_, std::forward<F>(work));
    return true;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--calls_ == 0) idle_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void wait_idle() {
    std::unique_lock lock(mutex_);
    while (calls_ != 0) idle_.wait(lock);
  }
  [[nodiscard]] const Executor& executor() const { return executor_; }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  Executor executor_;
  int calls_ = 0;
  bool closed_ = false;
};

[[nodiscard]] grpc::ByteBuffer to_buffer(const std::string& bytes);
[[nodiscard]] std::string to_bytes(const grpc::ByteBuffer& buffer);

// The table between Code and gRPC's status codes. Code::internal is UNKNOWN, as in Go programs; a recoverable error is
// FAILED_PRECONDITION with the detail that hosts of plugins look for (protocol 5.1).
[[nodiscard]] grpc::Status to_status(const Error& error);
[[nodiscard]] Error to_error(const grpc::Status& status);

}  // namespace drover::rpc
