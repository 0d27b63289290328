#include <grpc/support/log.h>
#include <grpcpp/support/slice.h>

#include <known.pb.h>
#include <structs.pb.h>

#include "sdk/rpc/bridge_impl.h"

namespace drover::rpc {
namespace {
constexpr std::string_view recoverable_type = "type.googleapis.com/hashicorp.nomad.plugins.shared.structs.RecoverableError";
// Headers of a peer are limited to 8 KiB in grpc-core; a longer text would replace the error by RESOURCE_EXHAUSTED.
constexpr std::size_t max_message = 4096;

Code code_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED: return Code::cancelled;
    case grpc::StatusCode::INVALID_ARGUMENT: case grpc::StatusCode::OUT_OF_RANGE: return Code::invalid_argument;
    case grpc::StatusCode::DEADLINE_EXCEEDED: return Code::deadline_exceeded;
    case grpc::StatusCode::NOT_FOUND: return Code::not_found;
    case grpc::StatusCode::ALREADY_EXISTS: return Code::already_exists;
    case grpc::StatusCode::PERMISSION_DENIED: return Code::permission_denied;
    case grpc::StatusCode::UNAUTHENTICATED: return Code::unauthenticated;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Code::resource_exhausted;
    case grpc::StatusCode::FAILED_PRECONDITION: case grpc::StatusCode::ABORTED: return Code::conflict;
    case grpc::StatusCode::UNIMPLEMENTED: return Code::unimplemented;
    case grpc::StatusCode::UNAVAILABLE: return Code::unavailable;
    default: return Code::internal;
  }
}

// The first detail decides (protocol 5.1, rule 4).
bool is_recoverable(const std::string& details) {
  known::Status status;
  if (details.empty() || !status.ParseFromString(details) || status.details_size() == 0) return false;
  const known::Any& first = status.details(0);
  hashicorp::nomad::plugins::shared::structs::RecoverableError detail;
  return first.type_url() == recoverable_type && detail.ParseFromString(first.value()) && detail.recoverable();
}
}  // namespace

void silence_grpc() {
  static const bool done = [] {
    gpr_set_log_function([](gpr_log_func_args*) {});
    return true;
  }();
  static_cast<void>(done);
}

grpc::ByteBuffer to_buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string to_bytes(const grpc::ByteBuffer& buffer) {
  std::string out;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

grpc::Status to_status(const Error& error) {
  const std::string message = error.message().substr(0, max_message);
  if (error.recoverable()) {
    hashicorp::nomad::plugins::shared::structs::RecoverableError detail;
    detail.set_recoverable(true);
    known::Status status;
    status.set_code(grpc::StatusCode::FAILED_PRECONDITION);
    status.set_message(message);
    known::Any& any = *status.add_details();
    any.set_type_url(std::string(recoverable_type));
    any.set_value(detail.SerializeAsString());
    return {grpc::StatusCode::FAILED_PRECONDITION, message, status.SerializeAsString()};
  }
  switch (error.code()) {
    case Code::invalid_argument: case Code::too_large: return {grpc::StatusCode::INVALID_ARGUMENT, message};
    case Code::not_found: return {grpc::StatusCode::NOT_FOUND, message};
    case Code::already_exists: return {grpc::StatusCode::ALREADY_EXISTS, message};
    case Code::permission_denied: return {grpc::StatusCode::PERMISSION_DENIED, message};
    case Code::unauthenticated: return {grpc::StatusCode::UNAUTHENTICATED, message};
    case Code::conflict: return {grpc::StatusCode::FAILED_PRECONDITION, message};
    case Code::unavailable: case Code::no_leader: return {grpc::StatusCode::UNAVAILABLE, message};
    case Code::deadline_exceeded: return {grpc::StatusCode::DEADLINE_EXCEEDED, message};
    case Code::cancelled: return {grpc::StatusCode::CANCELLED, message};
    case Code::unimplemented: return {grpc::StatusCode::UNIMPLEMENTED, message};
    case Code::resource_exhausted: return {grpc::StatusCode::RESOURCE_EXHAUSTED, message};
    case Code::internal: return {grpc::StatusCode::UNKNOWN, message};
  }
  return {grpc::StatusCode::UNKNOWN, message};
}

Error to_error(const grpc::Status& status) {
  std::string message = status.error_message();
  if (message.empty()) message = "the call failed without a text";
  return Error(code_of(status.error_code()), std::move(message)).with_recoverable(is_recoverable(status.error_details()));
}

}  // namespace drover::rpc
