#include <crypt.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/random.h>

#include <memory>

#include "lib/hcl/function_table.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

namespace drover::hcl {

namespace {

std::string digest(std::string_view bytes, const EVP_MD* kind) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), out, &length, kind, nullptr);
  return std::string(reinterpret_cast<const char*>(out), length);
}

Function hashed(const EVP_MD* (*kind)()) {
  return function({text("str")}, [kind](const Arguments& a) { return Value::string(hex_encode(digest(a[0].as_string(), kind()))); });
}

FunctionResult bcrypt(const Arguments& arguments) {
  if (arguments.size() > 2) return function_error("bcrypt() takes no more than two arguments");
  std::int64_t cost = 10;
  if (arguments.size() == 2) {
    const auto given = whole(arguments[1]);
    if (!given) return tl::unexpected(given.error());
    cost = *given < 4 ? 10 : *given;
  }
  // The reference goes on to 31, where one call takes days; a job file has no use for more than 14.
  if (cost > 14) return function_error(fmt::format("error occurred generating password: cost {} is outside allowed range (4,14)", cost));
  char salt_bytes[16];
  if (getrandom(salt_bytes, sizeof salt_bytes, 0) != sizeof salt_bytes) return function_error("no random bytes");
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn("$2a$", static_cast<unsigned long>(cost), salt_bytes, sizeof salt_bytes, setting, sizeof setting) == nullptr) {
    return function_error("bcrypt is not supported by this system's libcrypt");
  }
  const auto data = std::make_unique<crypt_data>();
  const char* hash = crypt_r(arguments[0].as_string().c_str(), setting, data.get());
  if (hash == nullptr || hash[0] == '*') return function_error("bcrypt is not supported by this system's libcrypt");
  return Value::string(hash);
}

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

FunctionResult rsa_decrypt(const Arguments& arguments) {
  const std::string& cipher = arguments[0].as_string();
  const std::string& pem = arguments[1].as_string();
  const auto bytes = base64_decode(cipher);
  if (!bytes) return function_error(fmt::format("failed to decode input {}: cipher text must be base64-encoded", quote(cipher)));
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return function_error("failed to parse key: no key found", 1);
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  const auto* in = reinterpret_cast<const unsigned char*>(bytes->data());
  std::size_t length = static_cast<std::size_t>(EVP_PKEY_size(key.get()));
  std::string out(length, '\0');
  const bool good = context && EVP_PKEY_decrypt_init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length, in, bytes->size()) == 1;
  if (!good) return function_error("crypto/rsa: decryption error");
  out.resize(length);
  return Value::string(std::move(out));
}

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return out;
}

FunctionResult name_uuid(const Arguments& arguments) {
  const std::string& space = arguments[0].as_string();
  // RFC 4122, appendix C.
  std::string id = space == "dns" ? "6ba7b810" : space == "url" ? "6ba7b811" : space == "oid" ? "6ba7b812" : space == "x500" ? "6ba7b814" : "";
  if (!id.empty()) id += "-9dad-11d1-80b4-00c04fd430c8";
  else id = to_lower(space);
  if (id.starts_with("urn:uuid:")) id = id.substr(9);
  if (id.size() != 36) return function_error(fmt::format("uuidv5() doesn't support namespace {} (invalid UUID length: {})", space, space.size()));
  if (!is_uuid(id)) return function_error(fmt::format("uuidv5() doesn't support namespace {} (invalid UUID format)", space));
  std::string hash = digest(from_hex(replace_all(id, "-", "")) + arguments[1].as_string(), EVP_sha1()).substr(0, 16);
  hash[6] = static_cast<char>((static_cast<unsigned char>(hash[6]) & 0x0F) | 0x50);
  hash[8] = static_cast<char>((static_cast<unsigned char>(hash[8]) & 0x3F) | 0x80);
  const std::string hex = hex_encode(hash);
  return Value::string(fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4), hex.substr(20)));
}

}  // namespace

void add_hash_functions(FunctionTable& table) {
  // Of md5 and sha1 the language promises only their value; nothing of ours relies on them (N-122).
  table["md5"] = hashed(EVP_md5);
  table["sha1"] = hashed(EVP_sha1);
  table["sha256"] = hashed(EVP_sha256);
  table["sha512"] = hashed(EVP_sha512);
  table["bcrypt"] = variadic({text("str")}, number("cost"), bcrypt);
  table["rsadecrypt"] = function({text("ciphertext"), text("privatekey")}, rsa_decrypt);
  table["uuidv4"] = function({}, [](const Arguments&) { return Value::string(make_uuid()); });
  table["uuidv5"] = function({text("namespace"), text("name")}, name_uuid);
}

}  // namespace drover::hcl
