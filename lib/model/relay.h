// What travels on the streams between agents: how a node offers itself to its server, and HTTP requests and answers that one
// agent passes to another. The streams are in lib/wire/streams.h.
#pragma once

#include <cstdint>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

// Opens the stream on which a server tells a node of requests for it.
struct NodeConnectRequest {
  std::string node_id;
  std::string secret_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("SecretID", self.secret_id);
  }
};

// A server's message on that stream: somebody waits for the node. Without an id: the node was accepted.
struct NodeSessionOffer {
  std::string session_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SessionID", self.session_id);
  }
};

// The node takes up an offer.
struct NodeSessionRequest {
  std::string session_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SessionID", self.session_id);
  }
};

struct HttpField {
  std::string name;
  std::string value;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Value", self.value);
  }
};

struct HttpRelayRequest {
  std::string method;
  std::string target;  // encoded path and query
  List<HttpField> headers;
  Bytes body;
  bool websocket = false;  // wants to become one: after a head of status 101 HttpRelayFrames go both ways
  std::string node;        // not empty: from a server that asks all others for a way to this node; whoever has none says so
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Method", self.method);
    v("Target", self.target);
    v("Headers", self.headers);
    v("Body", self.body);
    v("WebSocket", self.websocket);
    v("Node", self.node);
  }
};

// The first message of an answer. `body` is all of it, unless parts follow.
struct HttpRelayHead {
  std::int64_t status = 0;
  List<HttpField> headers;
  Bytes body;
  bool parts_follow = false;
  bool early_head = false;   // http::Response's members of the same names
  bool until_close = false;
  bool compress = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Status", self.status);
    v("Headers", self.headers);
    v("Body", self.body);
    v("PartsFollow", self.parts_follow);
    v("EarlyHead", self.early_head);
    v("UntilClose", self.until_close);
    v("Compress", self.compress);
  }
};

struct HttpRelayPart {
  Bytes data;
  bool flush = false;  // the writer wanted what it wrote to be seen now
  bool end = false;    // the body is complete; a stream that ends without this was cut
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Data", self.data);
    v("Flush", self.flush);
    v("End", self.end);
  }
};

// One message of a websocket, or its end.
struct HttpRelayFrame {
  Bytes data;
  bool binary = false;
  std::int64_t close = 0;  // not 0: the close code, and `data` is the reason; 1006 ends without a close frame
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Data", self.data);
    v("Binary", self.binary);
    v("Close", self.close);
  }
};

}  // namespace drover::model
