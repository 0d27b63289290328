#include "lib/http/zip.h"

#include <zlib.h>

#include <array>
#include <cstdlib>

#include "lib/http/headers.h"
#include "sdk/base/text.h"

namespace drover::http {

namespace {
bool refused(std::string_view parameters) {
  // `;q=0`, `;q=0.0`, ... : any other weight accepts.
  const auto at = parameters.find("q=");
  return at != std::string_view::npos && std::strtod(std::string(parameters.substr(at + 2)).c_str(), nullptr) == 0;
}
}  // namespace

Encoding choose_encoding(std::string_view accept) {
  while (!accept.empty()) {
    const auto [head, rest] = split_once(accept, ',');
    const auto [name, parameters] = split_once(head, ';');
    accept = rest;
    if (refused(parameters)) continue;
    if (iequals(trim(name), "gzip")) return Encoding::gzip;
    if (iequals(trim(name), "deflate")) return Encoding::deflate;
  }
  return Encoding::identity;
}

struct Packer::State {
  z_stream z{};
};

Packer::Packer(Encoding encoding, bool small) : state_(std::make_unique<State>()) {
  // "deflate" is the bare format, as the reference sends it. Level 1: the wire is a local network, the CPU the agent's.
  const int window = small ? 12 : 15;
  const int bits = encoding == Encoding::gzip ? window + 16 : -window;
  const int code = ::deflateInit2(&state_->z, 1, Z_DEFLATED, bits, small ? 4 : 8, Z_DEFAULT_STRATEGY);
  DROVER_CHECK(code == Z_OK);
}

Packer::~Packer() { ::deflateEnd(&state_->z); }

std::string Packer::pack(std::string_view body) {
  auto& z = state_->z;
  ::deflateReset(&z);
  std::string out;
  out.resize(::deflateBound(&z, body.size()));
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  z.avail_in = static_cast<uInt>(body.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int code = ::deflate(&z, Z_FINISH);
  DROVER_CHECK(code == Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  return out;
}

void Packer::add(std::string_view text, Mode mode, std::string& out) {
  auto& z = state_->z;
  const int flush = mode == Mode::end ? Z_FINISH : mode == Mode::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  std::array<char, 16384> part;
  do {
    z.next_out = reinterpret_cast<Bytef*>(part.data());
    z.avail_out = static_cast<uInt>(part.size());
    ::deflate(&z, flush);
    out.append(part.data(), part.size() - z.avail_out);
  } while (z.avail_out == 0);
}

struct Unpacker::State {
  z_stream z{};
  bool deflate = false;
  bool started = false;
  bool ended = false;
};

Unpacker::Unpacker(Encoding encoding) : state_(std::make_unique<State>()) { state_->deflate = encoding == Encoding::deflate; }

Unpacker::~Unpacker() {
  if (state_->started) ::inflateEnd(&state_->z);
}

Result<> Unpacker::add(std::string_view packed, std::string& out, std::uint64_t limit) {
  if (packed.empty() || state_->ended) return {};
  auto& z = state_->z;
  if (!state_->started) {
    // Servers send "deflate" bare or in a zlib wrapper; the low half of a wrapper's first byte is 8.
    const bool wrapped = (static_cast<unsigned char>(packed[0]) & 15) == 8;
    const int bits = !state_->deflate ? 15 + 16 : wrapped ? 15 : -15;
    if (::inflateInit2(&z, bits) != Z_OK) return fail(Code::resource_exhausted, "unpacking the body: no memory");
    state_->started = true;
  }
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  std::array<char, 16384> part;
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(part.data());
    z.avail_out = static_cast<uInt>(part.size());
    const int code = ::inflate(&z, Z_NO_FLUSH);
    out.append(part.data(), part.size() - z.avail_out);
    if (out.size() > limit) return fail(Code::too_large, "unpacking the body: more than {} bytes", limit);
    if (code == Z_STREAM_END) {
      state_->ended = true;
      return {};
    }
    if (code != Z_OK && code != Z_BUF_ERROR) return fail(Code::invalid_argument, "unpacking the body: {}", z.msg ? z.msg : "damaged");
    if (z.avail_out != 0) return {};
  }
}

}  // namespace drover::http
