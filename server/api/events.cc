// The event stream: a line of JSON for each transaction, and `{}` every 30 s so that a broken connection is noticed (http-api 3.1).
#include "sdk/base/text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

constexpr std::chrono::seconds heartbeat{30};

Result<events::Filter> read_filter(const Request& request) {
  events::Filter out;
  for (const auto& topic : request.query.all("topic")) {
    const auto parts = split(topic, ':');
    if (parts.size() > 2) {
      return fail(Code::invalid_argument, "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: {}", topic);
    }
    // An empty topic or key is a name like any other, which nothing has.
    out.topics[parts[0]].insert(parts.size() == 2 ? parts[1] : "*");
  }
  if (out.topics.empty()) out.topics["*"].insert("*");
  if (const auto name = request.query.get("namespace"); !name.empty()) out.namespace_ = name;
  return out;
}

Result<std::uint64_t> read_index(const Request& request) {
  const auto text = request.query.get("index");
  if (text.empty()) return 0;
  if (const auto index = parse_unsigned(text)) return *index;
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  return fail(Code::invalid_argument, "Unable to parse index: strconv.Atoi: parsing {}: {}", quote(text),
              digits ? "value out of range" : "invalid syntax");
}

void append_line(std::string& out, const events::Batch& batch) {
  out += "{\"Index\":" + std::to_string(batch.index) + ",\"Events\":";
  out += list_json(batch.events);
  out += "}\n";
}

Async<> follow(std::shared_ptr<events::Subscription> subscription, http::ResponseStream& out) {
  using std::chrono::steady_clock;
  std::string text = "{}\n";
  auto next_beat = steady_clock::now() + heartbeat;
  for (;;) {
    const bool written = co_await out.write(text);
    if (!written) co_return;
    const bool flushed = co_await out.flush();
    if (!flushed) co_return;
    text.clear();
    auto batches = co_await subscription->next(std::max<steady_clock::duration>(next_beat - steady_clock::now(), {}));
    // The reader was too slow, or the server stops: the body ends, and the client comes back with its last index.
    if (!batches) co_return;
    for (const auto& batch : *batches) append_line(text, batch);
    if (steady_clock::now() >= next_beat) {
      text += "{}\n";
      next_beat = steady_clock::now() + heartbeat;
    }
  }
}

Async<> nothing(http::ResponseStream&) { co_return; }

Async<Response> stream(const Context& c, Request request) {
  auto filter = read_filter(request);
  if (!filter) co_return error_answer(filter.error());
  const auto index = read_index(request);
  if (!index) co_return error_answer(index.error());
  if (c.options.events == nullptr) {
    if (!c.options.ask_server) co_return error_answer(Error(Code::unimplemented, "this agent knows no server to ask for events"));
    auto answer = co_await c.options.ask_server(std::move(request));
    co_return answer;
  }
  Response answer;
  answer.headers.add("Content-Type", "application/json");
  answer.headers.add("Cache-Control", "no-cache");
  answer.compress = false;
  answer.until_close = true;
  const auto region = request.query.get("region");
  if (!region.empty() && region != c.options.region) {
    // The head is out before anybody looks at the region: an unknown one is an empty body.
    answer.stream = nothing;
    co_return answer;
  }
  auto subscription = std::make_shared<events::Subscription>(c.options.events->subscribe(std::move(*filter), *index));
  answer.stream = [subscription](http::ResponseStream& out) { return follow(subscription, out); };
  co_return answer;
}

}  // namespace

void add_events(http::Router& router, const ContextPtr& context) { router.add("GET", "/v1/event/stream", bind<stream>(context)); }

}  // namespace drover::api
