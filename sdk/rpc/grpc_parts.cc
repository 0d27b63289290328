// The parts of gRPC that Drover's programs have: this definition stands in the place of the library's own, which registers every
// load balancer, proxy and resolver there is. Linked whole, so that the library's is never asked for. What it names is gRPC's
// own and not in its headers; a newer version that lacks one fails to link. docs/adr/0008-grpc-parts.md says why.

namespace grpc_core {
class CoreConfiguration {
 public:
  class Builder;
};

// Channels, streams and their limits.
void BuildClientChannelConfiguration(CoreConfiguration::Builder*);
void RegisterBuiltins(CoreConfiguration::Builder*);
void RegisterClientAuthorityFilter(CoreConfiguration::Builder*);
void RegisterDeadlineFilter(CoreConfiguration::Builder*);
void RegisterHttpFilters(CoreConfiguration::Builder*);
void RegisterMessageSizeFilter(CoreConfiguration::Builder*);
void RegisterPickFirstLbPolicy(CoreConfiguration::Builder*);
void RegisterResourceQuota(CoreConfiguration::Builder*);
void RegisterServiceConfigChannelArgFilter(CoreConfiguration::Builder*);
// Addresses: "unix:/path", "ipv4:...", and names by the C library's resolver.
void RegisterNativeDnsResolver(CoreConfiguration::Builder*);
void RegisterSockaddrResolver(CoreConfiguration::Builder*);
void RegisterTCPConnectHandshaker(CoreConfiguration::Builder*);
void SecurityRegisterHandshakerFactories(CoreConfiguration::Builder*);
void RegisterSecurityFilters(CoreConfiguration::Builder*);
}  // namespace grpc_core

namespace grpc_event_engine::experimental {
void RegisterEventEngineChannelArgPreconditioning(grpc_core::CoreConfiguration::Builder*);
}

namespace grpc_core {

void BuildCoreConfiguration(CoreConfiguration::Builder* builder);

void BuildCoreConfiguration(CoreConfiguration::Builder* builder) {
  grpc_event_engine::experimental::RegisterEventEngineChannelArgPreconditioning(builder);
  RegisterTCPConnectHandshaker(builder);
  RegisterPickFirstLbPolicy(builder);
  BuildClientChannelConfiguration(builder);
  SecurityRegisterHandshakerFactories(builder);
  RegisterClientAuthorityFilter(builder);
  RegisterDeadlineFilter(builder);
  RegisterMessageSizeFilter(builder);
  RegisterServiceConfigChannelArgFilter(builder);
  RegisterResourceQuota(builder);
  RegisterSockaddrResolver(builder);
  RegisterNativeDnsResolver(builder);
  RegisterHttpFilters(builder);
  RegisterSecurityFilters(builder);
  RegisterBuiltins(builder);
}

}  // namespace grpc_core
