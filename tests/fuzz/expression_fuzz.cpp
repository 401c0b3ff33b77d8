// Any bytes as a filter expression: parsed, said again, explained, compiled for the kernel, and asked about a
// connection. What it says must mean the same when it is parsed again, and must be printable.
#include "filter/filter.h"
#include "filter/kernel_part.h"
#include "support/expression.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace tcpflight::test {
namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

bool is_printable(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
}

void ask(const Filter &filter)
{
    Identity identity;
    identity.local.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
    identity.remote = identity.local;
    identity.local.port = 80;
    identity.remote.port = 443;
    identity.owner.pid = 7;
    identity.owner.source = OwnerSource::Connect;
    identity.owner.comm = {'n', 'g', 'i', 'n', 'x'};
    static const auto where = Shared<Cgroup>::make(Cgroup{.path = "/lxc/web", .container = "web"});
    identity.where = where;
    Event event;
    event.identity = &identity;
    event.what = StateChange{};
    static const Numbers numbers{
        .duration_ns = 5'000'000'000, .retransmits = 3, .bytes = 1'000'000, .from_begin = true, .is_over = true};
    // What is known in all answers with yes or no, and never yes where the identity alone says no.
    auto answer =
        filter.judge({.identity = &identity, .direction = Direction::Outgoing, .event = &event, .numbers = &numbers});
    require(answer != Answer::Open);
    if (filter.admits(identity, Direction::Outgoing) == Admission::No)
        require(answer == Answer::No);
}

} // namespace
} // namespace tcpflight::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace tcpflight;
    std::string_view text(reinterpret_cast<const char *>(data), size);
    [[maybe_unused]] bool begins = begins_expression(text);
    auto parsed = parse_expression(text, test::FewNames());
    if (!parsed) {
        test::require(test::is_printable(parsed.error().message));
        return 0;
    }
    auto said = to_text(*parsed);
    test::require(test::is_printable(said));
    if (said.size() <= max_expression_bytes) {
        auto again = parse_expression(said, no_names());
        test::require(again.has_value());
        test::require(to_text(*again) == said);
    }
    auto part = kernel_part(*parsed);
    test::require(part.ops.size() <= TF_FILTER_OPS);
    test::require(test::is_printable(explain(*parsed)));
    test::ask(Filter(*parsed));
    return 0;
}
