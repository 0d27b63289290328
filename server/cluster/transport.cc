#include "server/cluster/transport.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>

#include "lib/wire/streams.h"
#include "sdk/async/event.h"
#include "sdk/base/defer.h"
#include "server/raft/message_codec.h"

namespace drover::cluster {
namespace {
using namespace asio::experimental::awaitable_operators;
using std::chrono::steady_clock;
constexpr std::chrono::milliseconds first_pause{50}, longest_pause{1000};
constexpr std::size_t piece_bytes = 1u << 20;
constexpr std::size_t frame_bytes = 4u << 20;
}  // namespace

struct Transport::Link {
  Link(const Executor& executor, std::uint64_t member, std::string to) : id(member), address(std::move(to)), changed(executor), restart(executor) {}
  std::uint64_t id;
  std::string address;
  std::string node_id;   // empty: not known
  std::deque<RaftMessage> waiting;
  std::size_t bytes = 0;
  Event changed;         // something waits, or the link is to end
  Event restart;
  steady_clock::time_point heard{};
  steady_clock::time_point made{};
  bool ended = false;
  bool installing = false;
  bool told = false;     // that it cannot be reached

  static std::size_t size_of(const RaftMessage& message) {
    std::size_t out = 128;
    for (const auto& entry : message.entries) out += entry->data.size();
    return out;
  }
  void drop() {
    waiting.clear();
    bytes = 0;
  }
};

Transport::Transport(const Executor& executor, Member self, Logger log, std::shared_ptr<const NodeTls> tls)
    : executor_(executor), self_(std::move(self)), log_(std::move(log)), tls_(std::move(tls)), scope_(executor) {}
Transport::~Transport() = default;

Transport::Link& Transport::link(std::uint64_t id, const std::string& address) {
  auto& place = links_[id];
  // Another address, or another place of the same server: what was on its way to the old one is lost.
  if (place && place->address != address && !address.empty()) {
    place->ended = true;
    place->changed.set();
    place->restart.set();
    place.reset();
  }
  if (!place) {
    place = std::make_shared<Link>(executor_, id, address);
    place->heard = place->made = steady_clock::now();
    scope_.spawn(run(place));
  }
  return *place;
}

void Transport::send(RaftMessage message) {
  if (message.to == 0 || message.to_address.empty()) return;
  Link& to = link(message.to, message.to_address);
  if (message.type == MessageType::install) {
    if (!to.installing) scope_.spawn(send_snapshot(links_[message.to], std::move(message)));
    return;
  }
  const auto now = steady_clock::now();
  if (now - to.heard > silence && now - to.made > silence) {
    to.made = now;
    to.restart.set();
  }
  const std::size_t size = Link::size_of(message);
  if (to.waiting.size() >= most_waiting || to.bytes + size > most_waiting_bytes) return;
  to.bytes += size;
  to.waiting.push_back(std::move(message));
  to.changed.set();
}

void Transport::set_members(const std::vector<Member>& members) {
  std::erase_if(links_, [&](const auto& one) {
    const auto member = std::ranges::find(members, one.first, &Member::id);
    if (member != members.end()) {
      one.second->node_id = member->node_id;
      return false;
    }
    one.second->ended = true;
    one.second->changed.set();
    return true;
  });
}

model::RaftHello Transport::hello(const Link& to) const {
  return {.cluster_id = cluster_id_, .from_node = self_.node_id, .from_name = self_.name, .from_address = self_.address, .to_node = to.node_id};
}

Async<> Transport::run(std::shared_ptr<Link> link) {
  auto pause = first_pause;
  while (!link->ended) {
    link->restart.reset();
    const auto done = co_await connected(link);
    link->drop();
    if (link->ended) co_return;
    if (!done && !std::exchange(link->told, true)) log_.warn("server cannot be reached", "address", link->address, "error", done.error());
    if (done || steady_clock::now() - link->made > longest_pause) pause = first_pause;
    co_await sleep_for(pause);
    pause = std::min(pause * 2, longest_pause);
  }
}

// One stream, until it breaks.
Async<Result<>> Transport::connected(std::shared_ptr<Link> link) {
  while (link->waiting.empty()) {
    if (link->ended) co_return Result<>{};
    link->changed.reset();
    co_await link->changed.wait();
  }
  link->made = steady_clock::now();
  const auto client = NodeRpcClient::connect(executor_, link->address, tls_);
  std::string first = model::to_msgpack(hello(*link));
  auto stream = co_await client->open(wire::streams::raft_messages.name, std::move(first));
  if (!stream) co_return fail(stream.error());
  auto either = send_waiting(link, **stream) || link->restart.wait();
  auto which = co_await std::move(either);
  if (which.index() == 1) co_return fail(Code::unavailable, "nothing was heard of it for {} s", silence.count());
  co_return std::get<0>(std::move(which));
}

Async<Result<>> Transport::send_waiting(std::shared_ptr<Link> link, NodeStream& stream) {
  for (;;) {
    while (link->waiting.empty()) {
      if (link->ended) co_return Result<>{};
      link->changed.reset();
      co_await link->changed.wait();
    }
    std::string frame;
    while (!link->waiting.empty() && frame.size() < frame_bytes) {
      append_framed(frame, encode_message(link->waiting.front()));
      link->bytes -= std::min(link->bytes, Link::size_of(link->waiting.front()));
      link->waiting.pop_front();
    }
    const bool sent = co_await stream.send(std::move(frame));
    if (!sent) {
      [[maybe_unused]] const auto nothing = co_await stream.receive();
      const auto end = stream.end();
      if (!end) co_return fail(end.error());
      co_return fail(Code::unavailable, "the stream was closed");
    }
    link->told = false;
  }
}

// One part is in memory at a time. An empty one is the end: a stream that breaks has none.
Async<Result<>> Transport::send_parts(RaftMessage message, NodeStream& stream) {
  const auto source = message.snapshot_source ? message.snapshot_source : std::shared_ptr<SnapshotReader>(read_snapshot_bytes(message.snapshot, message.snapshot_data));
  std::uint64_t sent_bytes = 0;
  for (;;) {
    auto part = co_await run_blocking(files_, [source] { return source->read(piece_bytes); });
    if (!part) co_return fail(part.error());
    const bool last = part->empty();
    sent_bytes += part->size();
    const bool sent = co_await stream.send(std::move(*part));
    if (!sent) co_return fail(Code::unavailable, "the stream broke at byte {}", sent_bytes);
    if (!last) continue;
    stream.close();
    // Answered when the other side has taken it, which may be long after the last part.
    [[maybe_unused]] const auto nothing = co_await stream.receive();
    co_return stream.end();
  }
}

Async<> Transport::send_snapshot(std::shared_ptr<Link> link, RaftMessage message) {
  link->installing = true;
  const Defer done([&] { link->installing = false; });
  model::RaftInstallHello opening{.hello = hello(*link), .message = model::Bytes(encode_message(message))};
  log_.info("sending a snapshot", "address", link->address, "index", message.index);
  const auto client = NodeRpcClient::connect(executor_, link->address, tls_);
  std::string first = model::to_msgpack(opening);
  auto stream = co_await client->open(wire::streams::raft_install.name, std::move(first));
  Result<> result;
  if (!stream) result = fail(stream.error());
  else result = co_await send_parts(std::move(message), **stream);
  if (!result) log_.warn("sending a snapshot failed", "address", link->address, "error", result.error());
}

Result<> Transport::accept(const model::RaftHello& hello) {
  if (!hello.to_node.empty() && hello.to_node != self_.node_id) {
    return fail(Code::conflict, "this is server {}, not {}: two servers have the address {}", self_.node_id, hello.to_node, self_.address);
  }
  if (hello.cluster_id.empty()) return fail(Code::conflict, "server {} belongs to no cluster", hello.from_address);
  if (cluster_id_.empty() && adopt_) DROVER_TRY(adopt_(hello.cluster_id));
  if (hello.cluster_id == cluster_id_) return {};
  // A server with the data of another cluster would take over this one's, or lose its own.
  log_.error("a server of another cluster was refused", "address", hello.from_address, "its_cluster", hello.cluster_id, "cluster", cluster_id_);
  return fail(Code::conflict,
              "server \"{}\" belongs to another cluster ({} here, {} there): empty the data directory of the one that is to join the other",
              self_.name, cluster_id_, hello.cluster_id);
}

void Transport::deliver(const model::RaftHello& hello, RaftMessage message) {
  const std::uint64_t from = member_id(hello.from_node);
  if (message.from != from || message.to != self_.id) {
    log_.warn("a raft message of another server was dropped", "address", hello.from_address);
    return;
  }
  if (const auto at = links_.find(from); at != links_.end()) at->second->heard = steady_clock::now();
  message.from_address = hello.from_address;
  if (receive_) receive_(std::move(message));
}

// A stream also breaks when something between the servers does; then the address answers, or nothing does.
Async<> Transport::look_for(std::uint64_t member, std::string address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) co_return;
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  asio::ip::tcp::resolver resolver(executor_);
  const auto [failed, found] = co_await resolver.async_resolve(host, address.substr(colon + 1), asio::as_tuple(asio::use_awaitable));
  if (failed) co_return;
  for (const auto pause : {std::chrono::milliseconds(0), std::chrono::milliseconds(20), std::chrono::milliseconds(100)}) {
    // A process that is just ending may still be listening.
    co_await sleep_for(pause);
    asio::ip::tcp::socket socket(executor_);
    auto either = asio::async_connect(socket, found, asio::as_tuple(asio::use_awaitable)) || sleep_for(std::chrono::milliseconds(500));
    const auto which = co_await std::move(either);
    if (which.index() == 1) co_return;
    if (std::get<0>(std::get<0>(which)) != asio::error::connection_refused) continue;
    log_.info("server has ended", "address", address);
    if (lost_ && !closing_) lost_(member);
    co_return;
  }
}

Async<Result<>> Transport::serve_messages(model::RaftHello hello, NodeStream& stream) {
  DROVER_CO_TRY(accept(hello));
  for (;;) {
    const auto frame = co_await stream.receive();
    if (!frame) {
      if (!closing_) scope_.spawn(look_for(member_id(hello.from_node), hello.from_address));
      co_return Result<>{};
    }
    const auto parts = split_framed(*frame);
    if (!parts) co_return fail(parts.error());
    for (const auto part : *parts) {
      auto message = decode_message(part);
      // F-72: whoever sends what cannot be read loses the stream, not the server.
      if (!message) co_return fail(message.error());
      deliver(hello, std::move(*message));
    }
  }
}

Async<Result<>> Transport::serve_install(model::RaftInstallHello opening, NodeStream& stream) {
  DROVER_CO_TRY(accept(opening.hello));
  auto message = decode_message(opening.message.data());
  if (!message) co_return fail(message.error());
  Result<std::shared_ptr<PendingSnapshot>> file = std::shared_ptr<PendingSnapshot>();
  if (begin_receiving_) {
    const SnapshotMeta meta = message->snapshot;
    file = co_await run_blocking(files_, [this, meta] { return begin_receiving_(meta); });
    if (!file) co_return fail(file.error());
  }
  std::uint64_t bytes = 0;
  for (;;) {
    auto piece = co_await stream.receive();
    if (!piece) co_return fail(Code::unavailable, "the snapshot ended after {} bytes", bytes);
    if (piece->empty()) break;
    bytes += piece->size();
    if (!*file) {
      message->snapshot_data += *piece;
      continue;
    }
    const auto written = co_await run_blocking(files_, [to = *file, part = std::move(*piece)] { return to->write(part); });
    if (!written) co_return fail(written.error());
  }
  log_.info("received a snapshot", "from", opening.hello.from_address, "index", message->index, "bytes", bytes);
  message->snapshot_file = std::move(*file);
  deliver(opening.hello, std::move(*message));
  co_return Result<>{};
}

void Transport::serve(NodeRpcServer& server) {
  wire::serve_stream<model::RaftHello>(server, wire::streams::raft_messages, [this](model::RaftHello hello, NodeStream& stream) {
    return serve_messages(std::move(hello), stream);
  });
  wire::serve_stream<model::RaftInstallHello>(server, wire::streams::raft_install, [this](model::RaftInstallHello hello, NodeStream& stream) {
    return serve_install(std::move(hello), stream);
  });
}

Async<> Transport::close() {
  closing_ = true;
  for (const auto& [id, link] : links_) link->ended = true;
  co_await scope_.close();
  links_.clear();
}

}  // namespace drover::cluster
