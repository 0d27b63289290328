#include "lib/snapshot/gzip_parts.h"

#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <thread>

namespace drover::snapshot {
namespace {

constexpr std::size_t part_bytes = 1u << 20;
constexpr std::size_t most_threads = 4;
// The state is mostly text: more effort makes it little smaller and much slower.
constexpr int level = 1;
constexpr int gzip_window = 15 + 16;
constexpr int yielding = 10;

Result<std::string> pack(const std::string& part) {
  // Of this thread alone, which ends with the part: whoever waits for the server's loop goes first.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), yielding);
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return fail(Code::resource_exhausted, "no memory to pack the snapshot");
  std::string out(deflateBound(&stream, part.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
  stream.avail_in = static_cast<uInt>(part.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return fail(Code::internal, "packing the snapshot: zlib says {}", code);
  return out;
}

}  // namespace

GzipParts::GzipParts(ByteSink out) : out_(std::move(out)), threads_(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads)) {}

Result<> GzipParts::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto taken = bytes.substr(0, part_bytes - part_.size());
    part_ += taken;
    bytes.remove_prefix(taken.size());
    if (part_.size() < part_bytes) continue;
    if (packing_.size() == threads_) DROVER_TRY(take_oldest());
    begin_part();
  }
  return {};
}

Result<> GzipParts::flush() {
  if (!part_.empty()) begin_part();
  while (!packing_.empty()) DROVER_TRY(take_oldest());
  return {};
}

void GzipParts::begin_part() {
  packing_.push_back(std::async(std::launch::async, [part = std::exchange(part_, {})] { return pack(part); }));
  part_.reserve(part_bytes);
}

Result<> GzipParts::take_oldest() {
  auto packed = packing_.front().get();
  packing_.pop_front();
  if (!packed) return fail(packed.error());
  return out_(*packed);
}

}  // namespace drover::snapshot
