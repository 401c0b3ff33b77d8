// The kernel's share of the filter against the whole of it: whatever the program refuses, eval.h must refuse too.
// Random expressions and random connections, answered by the very code that the tracer loads.
#include "filter/kernel_part.h"

#include "filter/filter.h"
#include "support/expression.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight::test {
namespace {

// Of a few values, so that criteria and connections meet.
constexpr std::array<const char *, 8> addresses{"10.0.0.1",    "10.0.0.2", "192.0.2.1",   "127.0.0.1",
                                                "2001:db8::1", "::1",      "2001:db9::7", "fe80::1"};
constexpr std::array<const char *, 8> nets{"10.0.0.0/8",    "10.0.0.0/31",   "192.0.2.0/24", "0.0.0.0/0",
                                           "2001:db8::/32", "2001:db8::/31", "::/0",         "127.0.0.1/32"};
constexpr std::array<std::uint16_t, 5> ports{22, 80, 443, 8080, 40000};
// Where a port that is not known yet will come from: none, one or all of those above.
struct PortRange {
    std::uint16_t first;
    std::uint16_t last;
};
constexpr std::array<PortRange, 5> ranges{{{0, 0}, {32768, 60999}, {443, 443}, {100, 9000}, {1, 65535}}};
constexpr std::array<const char *, 3> names{"nginx", "curl", "ssh"};

Address address_of(const char *text)
{
    return std::get<NetTerm>(expression_of(std::string("host ") + text).node).address;
}

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(engine_); }
    template <typename Value, std::size_t size> Value of(const std::array<Value, size> &values)
    {
        return values.at(below(size));
    }

    std::string expression(int depth)
    {
        if (depth == 0 || below(4) == 0)
            return term();
        std::string text = below(3) == 0 ? "not (" : "(";
        text += expression(depth - 1);
        for (unsigned more = below(3); more != 0; more--)
            text += (below(2) == 0 ? " and " : " or ") + expression(depth - 1);
        return text + ")";
    }

private:
    std::string term()
    {
        static constexpr std::array<const char *, 5> ends{"", "src ", "dst ", "src and dst ", "src or dst "};
        static constexpr std::array<const char *, 8> late{"event reset", "state LISTEN",     "duration > 5s",
                                                          "comm ng*",    "retransmits >= 3", "comm curl",
                                                          "cgroup /a",   "container aa"};
        switch (below(11)) {
        case 0:
        case 1: return of(ends) + std::string("port ") + std::to_string(of(ports));
        case 2: return of(ends) + std::string("portrange 80-8080");
        case 3: return of(ends) + std::string("host ") + of(addresses);
        case 4: return of(ends) + std::string("net ") + of(nets);
        case 5: return below(2) == 0 ? "ip" : "ip6";
        case 6: return "pid " + std::to_string(1 + below(3));
        case 7: return "uid " + std::to_string(below(3));
        case 8: return "netns " + std::to_string(4026531840 + below(2));
        case 9: return below(2) == 0 ? "outgoing" : "incoming";
        default: return of(late);
        }
    }

    std::mt19937 engine_;
};

// The same connection as both sides see it.
struct Connection {
    tf_filter_facts facts{};
    Identity identity;
    Direction direction = Direction::Unknown;
    std::vector<std::uint16_t>
        possible_ports; // local ones; the one that it has, or the ends of a range and what lies in it
    bool all_known = true;
};

void set_address(const Address &address, Address &identity, __u32 *facts)
{
    identity = address;
    std::memcpy(facts, address.bytes.data(), address.bytes.size());
}

Connection random_connection(Random &random)
{
    Connection c;
    // Both ends of one family; now and then the local one is not there (any more).
    auto local = address_of(random.of(addresses));
    auto remote = address_of(random.of(addresses));
    while (remote.is_v4() != local.is_v4())
        remote = address_of(random.of(addresses));
    c.facts.listener = random.below(6) == 0;
    bool unspecified = random.below(6) == 0;
    if (unspecified)
        local = address_of(local.is_v4() ? "0.0.0.0" : "::");
    set_address(local, c.identity.local.address, c.facts.local);
    c.identity.family = local.is_v4() ? Family::IPv4 : Family::IPv6;
    c.facts.local_port = c.identity.local.port = random.below(6) == 0 ? std::uint16_t{0} : random.of(ports);
    c.possible_ports = {c.facts.local_port};
    if (c.facts.local_port == 0) {
        const auto range = random.of(ranges);
        c.facts.first_port = range.first;
        c.facts.last_port = range.last;
        if (range.last != 0)
            c.possible_ports = {range.first, range.last};
        std::copy_if(ports.begin(), ports.end(), std::back_inserter(c.possible_ports),
                     [&](std::uint16_t port) { return port > range.first && port < range.last; });
    }
    if (!c.facts.listener) {
        set_address(remote, c.identity.remote.address, c.facts.remote);
        c.facts.remote_port = c.identity.remote.port = random.below(8) == 0 ? std::uint16_t{0} : random.of(ports);
    } else {
        set_address(address_of(local.is_v4() ? "0.0.0.0" : "::"), c.identity.remote.address, c.facts.remote);
    }
    if (random.below(4) != 0) {
        c.facts.pid = c.identity.owner.pid = 1 + random.below(3);
        c.identity.owner.source = OwnerSource::Syscall;
        std::string_view name = random.of(names);
        name.copy(c.identity.owner.comm.data(), c.identity.owner.comm.size());
    }
    if (random.below(3) != 0) {
        static const std::array<std::string, 3> paths{"/a/docker-" + std::string(64, 'a'), "/a", "/b"};
        const auto &path = paths.at(random.below(paths.size()));
        c.identity.where = Shared<Cgroup>::make(Cgroup{.path = path, .container = std::string(container_of(path))});
    }
    c.facts.uid = c.identity.uid = random.below(5) == 0 ? unknown_uid : random.below(3);
    c.facts.netns = c.identity.netns = 4026531840 + random.below(2);
    if (c.facts.listener) {
        c.facts.direction = TF_DIRECTION_NEITHER;
        c.direction = Direction::Neither;
    } else if (random.below(3) != 0) {
        bool out = random.below(2) == 0;
        c.facts.direction = out ? TF_DIRECTION_OUTGOING : TF_DIRECTION_INCOMING;
        c.direction = out ? Direction::Outgoing : Direction::Incoming;
    }
    c.all_known = !c.facts.listener && !unspecified && c.facts.local_port != 0 && c.facts.remote_port != 0 &&
                  c.facts.pid != 0 && c.facts.uid != unknown_uid && c.facts.direction != TF_DIRECTION_UNKNOWN;
    return c;
}

struct Close {
    void operator()(bpf_object *object) const { bpf_object__close(object); }
};

// The program with one expression in it.
class KernelFilter {
public:
    explicit KernelFilter(const KernelPart &part)
    {
        object_.reset(bpf_object__open_file(TCPFLIGHT_FILTER_OBJECT, nullptr));
        if (!object_)
            return;
        set_constant(static_cast<unsigned>(part.ops.size()));
        bpf_map *map = nullptr;
        bpf_object__for_each_map(map, object_.get())
        {
            std::string name = bpf_map__name(map);
            if (name == "ring" || name == "stages" || name == "owners" || name == "births")
                bpf_map__set_autocreate(map, false);
        }
        if (bpf_object__load(object_.get()) != 0)
            return;
        auto program = std::make_unique<tf_filter_program>();
        std::copy(part.ops.begin(), part.ops.end(), program->ops);
        __u32 zero = 0;
        int fd = bpf_map__fd(bpf_object__find_map_by_name(object_.get(), "filter_program"));
        if (bpf_map_update_elem(fd, &zero, program.get(), BPF_ANY) == 0)
            program_ = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), "ask"));
    }

    [[nodiscard]] bool is_loaded() const { return program_ >= 0; }

    int ask(tf_filter_facts facts) const
    {
        LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &facts, .ctx_size_in = sizeof(facts));
        EXPECT_EQ(bpf_prog_test_run_opts(program_, &options), 0);
        return static_cast<int>(options.retval);
    }

private:
    // filter_ops, which the verifier is to know.
    void set_constant(unsigned count)
    {
        auto *types = bpf_object__btf(object_.get());
        bpf_map *map = nullptr;
        bpf_object__for_each_map(map, object_.get())
        {
            if (std::string(bpf_map__name(map)).find(".rodata") == std::string::npos)
                continue;
            std::size_t size = 0;
            const auto *initial = static_cast<const char *>(bpf_map__initial_value(map, &size));
            std::vector<char> bytes(initial, initial + size);
            const auto *section = btf__type_by_id(types, bpf_map__btf_value_type_id(map));
            for (int i = 0; i < btf_vlen(section); i++) {
                const auto *info = btf_var_secinfos(section) + i;
                const auto *variable = btf__type_by_id(types, info->type);
                if (std::string(btf__name_by_offset(types, variable->name_off)) == "filter_ops")
                    std::memcpy(bytes.data() + info->offset, &count, sizeof(count));
            }
            bpf_map__set_initial_value(map, bytes.data(), bytes.size());
        }
    }

    std::unique_ptr<bpf_object, Close> object_;
    int program_ = -1;
};

class KernelFilterTest : public testing::Test {
protected:
    void SetUp() override
    {
        if (geteuid() != 0)
            GTEST_SKIP() << "needs root";
    }
};

TEST_F(KernelFilterTest, NeverRefusesWhatTheExpressionKeeps)
{
    constexpr int expressions = 400;
    constexpr int connections = 200;
    const char *seed_text = std::getenv("TCPFLIGHT_SEED");
    unsigned seed = seed_text != nullptr ? static_cast<unsigned>(std::stoul(seed_text)) : std::random_device()();
    SCOPED_TRACE("TCPFLIGHT_SEED=" + std::to_string(seed));
    Random random(seed);
    int refused = 0;
    int refused_early = 0;
    int exact = 0;
    for (int i = 0; i < expressions; i++) {
        auto expression = expression_of(random.expression(3));
        Filter filter(expression);
        auto part = kernel_part(expression);
        if (part.ops.empty())
            continue;
        KernelFilter kernel(part);
        ASSERT_TRUE(kernel.is_loaded()) << to_text(expression);
        Filter decided(part.decided);
        for (int j = 0; j < connections; j++) {
            auto c = random_connection(random);
            int verdict = kernel.ask(c.facts);
            for (const std::uint16_t port : c.possible_ports) {
                c.identity.local.port = port;
                if (verdict == TF_VERDICT_REFUSED) {
                    ASSERT_EQ(filter.admits(c.identity, c.direction), Admission::No)
                        << to_text(expression) << "\n"
                        << to_tree(part.decided, 2) << "local port " << port << " of " << c.facts.first_port << " to "
                        << c.facts.last_port << ", remote port " << c.identity.remote.port << ", pid "
                        << c.identity.owner.pid;
                }
                // What it wants for certain stays wanted.
                if (verdict == TF_VERDICT_WANTED) {
                    ASSERT_NE(decided.admits(c.identity, c.direction), Admission::No)
                        << to_text(part.decided) << ", local port " << port;
                }
            }
            if (verdict == TF_VERDICT_REFUSED)
                refused++;
            if (verdict == TF_VERDICT_REFUSED && c.possible_ports.size() > 1)
                refused_early++;
            // Where all is known, it decides exactly what it has been given.
            if (c.all_known) {
                exact++;
                ASSERT_EQ(verdict, decided.admits(c.identity, c.direction) == Admission::Yes ? TF_VERDICT_WANTED
                                                                                             : TF_VERDICT_REFUSED)
                    << to_text(part.decided);
            }
        }
    }
    // Otherwise nothing was tested.
    EXPECT_GT(refused, expressions * connections / 20);
    EXPECT_GT(refused_early, expressions * connections / 200);
    EXPECT_GT(exact, expressions * connections / 20);
}

TEST_F(KernelFilterTest, TheLongestProgramLoads)
{
    std::string text = "(pid 1";
    for (int pid = 2; pid <= TF_MAX_PIDS; pid++)
        text += " or " + std::to_string(pid);
    text += ") and (port 1";
    for (int port = 3; port < 2 * (TF_FILTER_OPS - TF_MAX_PIDS) - 1; port += 2)
        text += " or " + std::to_string(port);
    auto part = kernel_part(expression_of(text + ")"));
    ASSERT_EQ(part.ops.size(), TF_FILTER_OPS);
    KernelFilter kernel(part);
    ASSERT_TRUE(kernel.is_loaded());
    tf_filter_facts facts{};
    facts.local_port = facts.remote_port = 1;
    facts.pid = TF_MAX_PIDS;
    EXPECT_EQ(kernel.ask(facts), TF_VERDICT_WANTED);
    facts.pid = TF_MAX_PIDS + 1;
    EXPECT_EQ(kernel.ask(facts), TF_VERDICT_REFUSED);
    facts.pid = 0;
    EXPECT_EQ(kernel.ask(facts), TF_VERDICT_OPEN);
    facts.local_port = facts.remote_port = 2;
    EXPECT_EQ(kernel.ask(facts), TF_VERDICT_REFUSED);
}

} // namespace
} // namespace tcpflight::test
