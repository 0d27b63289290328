// Asio's TLS part, apart from the rest: programs that use none (plugins, the CLI's helpers) then map no OpenSSL.
#include <boost/asio/ssl/impl/src.hpp>
