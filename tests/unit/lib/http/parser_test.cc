#include <doctest/doctest.h>

#include "lib/http/parser.h"

using namespace drover;
using namespace drover::http;

namespace {
int status_of(std::string_view head) {
  Request request;
  const auto framing = parse_request_head(head, 100, request);
  return framing ? 200 : framing.error().http_status();
}
}  // namespace

TEST_CASE("parser: a request's head is taken apart") {
  Request request;
  const auto framing = parse_request_head("PUT /v1/job/a%2Fb?x=1&y=a+b HTTP/1.1\r\nHost: h\r\nX-A:  v \r\nContent-Length: 5\r\n\r\n", 100, request);
  REQUIRE(framing);
  CHECK(request.method == "PUT");
  CHECK(request.path == "/v1/job/a/b");
  CHECK(request.raw_path() == "/v1/job/a%2Fb");
  CHECK(request.query.get("y") == "a b");
  CHECK(request.headers.get("x-a") == "v");
  CHECK(framing->length == 5);
  CHECK(framing->keep_alive);
}

TEST_CASE("parser: malformed and ambiguous heads are refused") {
  CHECK(status_of("hello\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/2.0\r\nHost: x\r\n\r\n") == 505);
  CHECK(status_of("PRI * HTTP/2.0\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost : x\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of("GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(status_of("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
  CHECK(status_of("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
  std::string many = "GET /x HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  CHECK(status_of(many + "\r\n") == 431);
  CHECK(status_of("GET http://x/v1/regions HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
  CHECK(status_of("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
  CHECK(status_of("GET /x HTTP/1.1\nHost: x\n\n") == 200);
}

TEST_CASE("parser: the end of a head is found however it is cut") {
  for (const std::string text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\nrest", "GET / HTTP/1.1\nHost: x\n\nrest"}) {
    std::size_t scanned = 0;
    std::size_t end = std::string::npos;
    std::size_t size = 0;
    while (end == std::string::npos && size < text.size()) end = find_head_end(std::string_view(text).substr(0, ++size), scanned);
    CHECK(end == text.size() - 4);
  }
}

TEST_CASE("parser: a chunked body is decoded however it is cut") {
  const std::string text = "4;ext=1\r\nwiki\r\n5\r\npedia\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t step = 1; step < text.size(); ++step) {
    ChunkDecoder decoder;
    std::string out;
    std::size_t used = 0;
    for (std::size_t at = 0; at < text.size() && !decoder.done(); at += step) {
      const auto taken = decoder.feed(std::string_view(text).substr(at, step), out);
      REQUIRE(taken);
      used += *taken;
    }
    CHECK(decoder.done());
    CHECK(out == "wikipedia");
    CHECK(used == text.size() - 4);
  }
  ChunkDecoder decoder;
  std::string out;
  CHECK_FALSE(decoder.feed("xyz\r\n", out));
}
