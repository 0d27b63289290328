#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "lib/hcl/function_table.h"

namespace drover::hcl {

namespace {

constexpr std::int64_t max_extension = 32;  // in one call
constexpr const char* too_long = "may not extend prefix by more than 32 bits";

// A network as bits: 32 or 128 of them, most significant first.
struct Prefix {
  unsigned __int128 address = 0;
  int length = 0;
  int bits = 32;

  [[nodiscard]] unsigned __int128 host_mask() const {
    const int host = bits - length;
    return host >= 128 ? ~static_cast<unsigned __int128>(0) : (static_cast<unsigned __int128>(1) << host) - 1;
  }
};

std::string show_address(unsigned __int128 address, int bits) {
  std::array<unsigned char, 16> bytes{};
  const int count = bits / 8;
  for (int i = count - 1; i >= 0; i--) {
    bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(address & 0xFF);
    address >>= 8;
  }
  if (bits == 32) return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
  // The longest run of two or more zero groups is cut; the first of equals.
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; i++) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8; i++) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) length++;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; i++) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

std::string show(const Prefix& prefix) { return fmt::format("{}/{}", show_address(prefix.address, prefix.bits), prefix.length); }

tl::expected<Prefix, FunctionError> parse_prefix(const std::string& text) {
  const auto invalid = [&] { return function_error(fmt::format("invalid CIDR expression: invalid CIDR address: {}", text)); };
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return invalid();
  const std::string host = text.substr(0, slash);
  const std::string digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) return invalid();
  Prefix prefix;
  std::array<unsigned char, 16> bytes{};
  prefix.bits = host.find(':') == std::string::npos ? 32 : 128;
  if (inet_pton(prefix.bits == 32 ? AF_INET : AF_INET6, host.c_str(), bytes.data()) != 1) return invalid();
  for (int i = 0; i < prefix.bits / 8; i++) prefix.address = prefix.address << 8 | bytes[static_cast<std::size_t>(i)];
  prefix.length = std::stoi(digits);
  if (prefix.length > prefix.bits) return invalid();
  prefix.address &= ~prefix.host_mask();
  return prefix;
}

FunctionResult host(const Arguments& arguments) {
  const auto number = whole(arguments[1]);
  if (!number) return tl::unexpected(number.error());
  const auto prefix = parse_prefix(arguments[0].as_string());
  if (!prefix) return tl::unexpected(prefix.error());
  const unsigned __int128 mask = prefix->host_mask();
  const bool negative = *number < 0;
  const auto magnitude = static_cast<unsigned __int128>(negative ? -(*number + 1) : *number);
  if (magnitude > mask) return function_error(fmt::format("prefix of {} does not accommodate a host numbered {}", prefix->length, *number));
  return Value::string(show_address(prefix->address | (negative ? mask - magnitude : magnitude), prefix->bits));
}

FunctionResult netmask(const Arguments& arguments) {
  const auto prefix = parse_prefix(arguments[0].as_string());
  if (!prefix) return tl::unexpected(prefix.error());
  const unsigned __int128 all = prefix->bits == 128 ? ~static_cast<unsigned __int128>(0) : 0xFFFFFFFFU;
  return Value::string(show_address(all & ~prefix->host_mask(), prefix->bits));
}

FunctionResult subnet(const Arguments& arguments) {
  const auto more = whole(arguments[1]);
  if (!more) return tl::unexpected(more.error());
  const auto number = whole(arguments[2]);
  if (!number) return tl::unexpected(number.error());
  auto prefix = parse_prefix(arguments[0].as_string());
  if (!prefix) return tl::unexpected(prefix.error());
  if (*more > max_extension) return function_error(too_long);
  if (*more < 0 || *more > prefix->bits - prefix->length) {
    return function_error(fmt::format("insufficient address space to extend prefix of {} by {}", prefix->length, *more));
  }
  const auto room = *more >= 63 ? static_cast<unsigned __int128>(~0ULL) : (static_cast<unsigned __int128>(1) << *more) - 1;
  if (*number < 0 || static_cast<unsigned __int128>(*number) > room) {
    return function_error(fmt::format("prefix extension of {} does not accommodate a subnet numbered {}", *more, *number));
  }
  prefix->length += static_cast<int>(*more);
  const int host_bits = prefix->bits - prefix->length;
  if (host_bits < 128) prefix->address |= static_cast<unsigned __int128>(*number) << host_bits;
  return Value::string(show(*prefix));
}

FunctionResult subnets(const Arguments& arguments) {
  const auto base = parse_prefix(arguments[0].as_string());
  if (!base) return function_error(base.error().message, 0);
  const char* family = base->bits == 32 ? "IPv4" : "IPv6";
  Value::List out;
  unsigned __int128 next = base->address;
  bool full = false;
  std::string last;
  for (std::size_t i = 1; i < arguments.size(); i++) {
    const int at = static_cast<int>(i);
    const auto more = arguments[i].as_number().to_int64();
    if (!more) return function_error("value must be a whole number, between -9223372036854775808 and 9223372036854775807", at);
    if (*more < 1) return function_error("must extend prefix by at least one bit", at);
    if (*more > max_extension) return function_error(too_long, at);
    if (*more > base->bits - base->length) {
      return function_error(fmt::format("would extend prefix to {} bits, which is too long for an {} address", base->length + *more, family), at);
    }
    Prefix prefix{next, base->length + static_cast<int>(*more), base->bits};
    const unsigned __int128 size_mask = prefix.host_mask();
    // Up to where the next network of this size may begin.
    if ((prefix.address & size_mask) != 0) {
      const unsigned __int128 aligned = (prefix.address | size_mask) + 1;
      full = full || aligned < prefix.address;
      prefix.address = aligned;
    }
    const unsigned __int128 end = base->address | base->host_mask();
    if (full || prefix.address > end || prefix.address < base->address) {
      return function_error(fmt::format("not enough remaining address space for a subnet with a prefix of {} bits after {}", prefix.length, last), at);
    }
    last = show(prefix);
    out.push_back(Value::string(last));
    next = (prefix.address | size_mask) + 1;
    full = (prefix.address | size_mask) == end;
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_network_functions(FunctionTable& table) {
  table["cidrhost"] = function({text("prefix"), number("hostnum")}, host);
  table["cidrnetmask"] = function({text("prefix")}, netmask);
  table["cidrsubnet"] = function({text("prefix"), number("newbits"), number("netnum")}, subnet);
  table["cidrsubnets"] = variadic({text("prefix")}, number("newbits"), subnets);
}

}  // namespace drover::hcl
