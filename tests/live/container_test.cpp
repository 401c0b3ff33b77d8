// Owners in containers: a cgroup and a pid namespace of their own.
#include "live/live_test.h"
#include "live/precision.h"
#include "source/cgroup_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sys/mount.h>
#include <sys/stat.h>

namespace tcpflight::test {
namespace {

std::string text_of(const char *path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A cgroup as an engine makes it, for as long as this is there. Its processes must have ended before.
class ContainerCgroup {
public:
    ContainerCgroup(const CgroupMount &mount, char digit)
        : id_(64, digit), name_("/docker-" + id_ + ".scope"), folder_(mount.folder + name_),
          path_((mount.root == "/" ? "" : mount.root) + name_), made_(mkdir(folder_.c_str(), 0755) == 0)
    {
    }
    ContainerCgroup(const ContainerCgroup &) = delete;
    ContainerCgroup &operator=(const ContainerCgroup &) = delete;
    ~ContainerCgroup()
    {
        // A process that has ended is counted until it is reaped.
        for (int tries = 0; made_ && tries < 1000 && rmdir(folder_.c_str()) != 0; tries++)
            usleep(1000);
    }

    [[nodiscard]] bool is_made() const { return made_; }
    [[nodiscard]] const std::string &id() const { return id_; }
    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] ActorPlace place() const { return {.own_pid_namespace = true, .cgroup = folder_}; }

private:
    std::string id_;
    std::string name_;
    std::string folder_;
    std::string path_;
    bool made_;
};

// In version 2, and in version 1 under the controller that limits processes.
class Container : public LiveTest, public testing::WithParamInterface<const char *> {
protected:
    void SetUp() override
    {
        LiveTest::SetUp();
        if (IsSkipped())
            return;
        // docs/limits.md "Sockets"
        if (!kernel_has(Precision::Memory))
            GTEST_SKIP() << "needs programs that may read memory: not under lockdown=confidentiality";
        const bool old = std::string_view(GetParam()) == "Version1";
        const auto mounts = find_cgroup_mounts(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
        const auto mount =
            std::find_if(mounts.begin(), mounts.end(), [&](const CgroupMount &m) { return (m.hierarchy != 0) == old; });
        if (mount != mounts.end()) {
            mount_ = *mount;
            return;
        }
        if (old)
            GTEST_SKIP() << "needs cgroups of version 1 (the pids controller), and they are not mounted";
        std::string name = testing::TempDir() + "cgroup-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        own_mount_ = name;
        if (::mount("none", own_mount_.c_str(), "cgroup2", 0, nullptr) != 0)
            GTEST_SKIP() << "needs cgroups of version 2: " << strerror(errno);
        mount_ = {.folder = own_mount_, .root = "/", .hierarchy = 0};
    }
    void TearDown() override
    {
        if (own_mount_.empty())
            return;
        umount2(own_mount_.c_str(), MNT_DETACH);
        rmdir(own_mount_.c_str());
    }

    CgroupMount mount_;
    std::string own_mount_;
};

// One was there before tcpflight, and one is made after.
TEST_P(Container, IsToldOfBothEnds)
{
    const ContainerCgroup older(mount_, 'a');
    if (!older.is_made())
        GTEST_SKIP() << "needs to make a cgroup in " << mount_.folder;
    Tracer tracer = trace();
    const ContainerCgroup newer(mount_, 'b');
    ASSERT_TRUE(newer.is_made());
    Actor server("server", older.place());
    Actor client("client", newer.place());
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Step close = client.close(c.client);
    server.receive(c.child);
    const Step answer = server.close(c.child);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").inside(1, older.id()).to("LISTEN"),
                               Timeline::of_child(c.child)
                                   .by(server, "inherited")
                                   .inside(1, older.id())
                                   .to("SYN_RECV", c.client.step)
                                   .to("ESTABLISHED", c.client.step)
                                   .by(server, "accept")
                                   .inside(1, older.id())
                                   .accepted_here(c.child.step)
                                   .to("CLOSE_WAIT", close)
                                   .to("LAST_ACK", answer)
                                   .to("CLOSE"),
                               Timeline::of_client(c.client)
                                   .by(client, "connect")
                                   .inside(1, newer.id())
                                   .to("SYN_SENT", c.client.step)
                                   .to("ESTABLISHED", c.client.step)
                                   .to("FIN_WAIT1", close)
                                   .to("FIN_WAIT2")
                                   .leaves("FIN_WAIT2|TIME_WAIT"),
                           });
    for (const TraceEvent &event : tracer.events())
        EXPECT_EQ(event.text("cgroup_path"), event.text("comm") == "server" ? older.path() : newer.path());
}

// The socket is the host's, and who accepts is in a container.
TEST_P(Container, IsTheAcceptors)
{
    const ContainerCgroup cgroup(mount_, 'c');
    if (!cgroup.is_made())
        GTEST_SKIP() << "needs to make a cgroup in " << mount_.folder;
    Tracer tracer = trace();
    Actor server("server");
    Actor worker("worker", cgroup.place());
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket passed = server.give(listener, worker);
    const Connection c = connect(client, worker, passed);

    expect_exactly(tracer,
                   {
                       Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                       queued_child(c, server).by(worker, "accept").inside(1, cgroup.id()).accepted_here(c.child.step),
                       connected_client(c, client),
                   });
}

TEST_P(Container, IsAskedFor)
{
    const ContainerCgroup cgroup(mount_, 'e');
    if (!cgroup.is_made())
        GTEST_SKIP() << "needs to make a cgroup in " << mount_.folder;
    Actor server("server", cgroup.place());
    Actor client("client");
    Tracer by_id = trace({"container eeeeee"});
    Tracer by_pattern = trace({"cgroup *-eee*.scope and not container d"});
    Tracer rest = trace({"not cgroup " + cgroup.path() + " and not container eeeeee"});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);

    for (Tracer *tracer : {&by_id, &by_pattern})
        expect_exactly(*tracer,
                       {
                           Timeline::of_listener(listener).by(server, "listen").inside(1, cgroup.id()).to("LISTEN"),
                           Timeline::of_child(c.child)
                               .by(server, "inherited")
                               .inside(1, cgroup.id())
                               .to("SYN_RECV", c.client.step)
                               .to("ESTABLISHED", c.client.step)
                               .by(server, "accept")
                               .inside(1, cgroup.id())
                               .accepted_here(c.child.step),
                       });
    expect_exactly(rest, {connected_client(c, client)});

    const Finished listed = run_tcpflight({"list", "container", "eeee"});
    EXPECT_NE(listed.out.find("server"), std::string::npos) << listed.out << listed.err;
    EXPECT_EQ(listed.out.find("client"), std::string::npos) << listed.out;
}

// The listener is the host's; a child is shown from the moment on when a process in the container accepts it.
TEST_P(Container, IsAskedForWhenOneOfItsProcessesAccepts)
{
    const ContainerCgroup cgroup(mount_, 'f');
    if (!cgroup.is_made())
        GTEST_SKIP() << "needs to make a cgroup in " << mount_.folder;
    Tracer tracer = trace({"container ffff and cgroup " + cgroup.path()});
    Actor server("server");
    Actor worker("worker", cgroup.place());
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket passed = server.give(listener, worker);
    const Connection c = connect(client, worker, passed);

    ASSERT_TRUE(tracer.wait_for_events(1));
    client.close(c.client);
    worker.receive(c.child);
    worker.close(c.child);
    ASSERT_TRUE(tracer.wait_for_events(4));
    tracer.stop();
    const auto &events = tracer.events();
    ASSERT_EQ(events.size(), 4U);
    EXPECT_TRUE(events[0].is("accept")) << events[0].json().dump();
    EXPECT_TRUE(events[1].is_change("ESTABLISHED", "CLOSE_WAIT"));
    EXPECT_TRUE(events[2].is_change("CLOSE_WAIT", "LAST_ACK"));
    EXPECT_TRUE(events[3].is_change("LAST_ACK", "CLOSE"));
}

// What was there before tcpflight, what is recorded, and what `list` shows.
TEST_P(Container, IsFoundAndRecorded)
{
    const ContainerCgroup cgroup(mount_, 'd');
    if (!cgroup.is_made())
        GTEST_SKIP() << "needs to make a cgroup in " << mount_.folder;
    Actor server("server", cgroup.place());
    Actor client("client", cgroup.place());
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const std::string file = testing::TempDir() + "container-" + std::to_string(getpid()) + ".tfr";
    Tracer tracer = trace({"-w", file, "--print", "--found"});
    const Connection c = connect(client, server, listener);
    client.close(c.client);

    ASSERT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(),
                           [](const TraceEvent &event) { return event.is_change("ESTABLISHED", "CLOSE_WAIT"); });
    }));
    EXPECT_EQ(tracer.stop().status, exited(0));
    const auto &events = tracer.events();
    EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const TraceEvent &e) { return e.is("found"); }));
    for (const TraceEvent &event : events) {
        EXPECT_EQ(event.text("container"), cgroup.id());
        EXPECT_EQ(event.number("inner_pid"), 1U);
    }

    const Finished replayed = run_tcpflight({"-r", file, "--format", "json", "--found"});
    EXPECT_EQ(replayed.status, exited(0));
    std::string own;
    const auto schema = documented_schema();
    for (std::size_t at = 0; at < replayed.out.size();) {
        const auto end = replayed.out.find('\n', at);
        const auto event = parse_line(schema, std::string_view(replayed.out).substr(at, end - at), netns());
        own += event ? event->json().dump() + "\n" : "";
        at = end + 1;
    }
    std::string live;
    for (const TraceEvent &event : events)
        live += event.json().dump() + "\n";
    EXPECT_EQ(own, live);
    unlink(file.c_str());

    const std::string port = std::to_string(listener.local.port());
    const Finished listed = run_tcpflight({"list", "--format", "json", "--port", port, "--comm", "server"});
    EXPECT_NE(listed.out.find("\"container\":\"" + cgroup.id() + "\""), std::string::npos) << listed.out;
    EXPECT_NE(listed.out.find("\"inner_pid\":1,"), std::string::npos) << listed.out;
    const Finished table = run_tcpflight({"list", "--wide", "--port", port});
    EXPECT_NE(table.out.find(cgroup.id().substr(0, 12)), std::string::npos) << table.out;
    EXPECT_EQ(table.out.find(cgroup.id().substr(0, 13)), std::string::npos) << "people get 12 digits";
}

INSTANTIATE_TEST_SUITE_P(Live, Container, testing::Values("Version2", "Version1"),
                         [](const auto &test) { return std::string(test.param); });

} // namespace
} // namespace tcpflight::test
