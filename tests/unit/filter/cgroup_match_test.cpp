// Patterns of cgroups and containers against what there is.
#include "filter/cgroup_match.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpflight::test {
namespace {

TEST(CgroupMatch, HoldsOfACgroupAndThoseInIt)
{
    EXPECT_TRUE(cgroup_matches("/system.slice/ssh.service", "/system.slice/ssh.service"));
    EXPECT_TRUE(cgroup_matches("/system.slice", "/system.slice/ssh.service"));
    EXPECT_FALSE(cgroup_matches("/system.slice/ssh", "/system.slice/ssh.service"));
    EXPECT_FALSE(cgroup_matches("/system.slice/ssh.service", "/system.slice"));
    EXPECT_FALSE(cgroup_matches("/ssh.service", "/system.slice/ssh.service"));
    EXPECT_TRUE(cgroup_matches("/", "/"));
    EXPECT_TRUE(cgroup_matches("/", "/a/b"));
    EXPECT_FALSE(cgroup_matches("/a", "/"));
}

TEST(CgroupMatch, TakesPatterns)
{
    EXPECT_TRUE(cgroup_matches("*/ssh.service", "/system.slice/ssh.service"));
    EXPECT_TRUE(cgroup_matches("*/ssh.service", "/system.slice/ssh.service/below"));
    EXPECT_TRUE(cgroup_matches("/kubepods*/pod1?", "/kubepods.slice/burstable/pod12/x"));
    EXPECT_FALSE(cgroup_matches("/kubepods*/pod1?", "/kubepods.slice/burstable/pod123"));
    EXPECT_TRUE(cgroup_matches("/*.slice", "/a.slice/b.scope"));
}

TEST(CgroupMatch, KnowsSystemdsEscapes)
{
    const std::string path = "/user.slice/app-gnome\\x2dterminal-1.scope";
    EXPECT_TRUE(cgroup_matches("*/app-gnome-terminal-*", path));
    EXPECT_TRUE(cgroup_matches("*/app-gnome\\x2dterminal-1.scope", path)) << "as it is shown";
    EXPECT_TRUE(cgroup_matches("*/app-gnome\\\\x2dterminal-1.scope", path)) << "byte by byte";
    EXPECT_FALSE(cgroup_matches("*/app-gnome_terminal*", path));
    EXPECT_TRUE(cgroup_matches("/a\\\\x2", "/a\\x2")) << "no escape: it is cut off";
    EXPECT_TRUE(cgroup_matches("/a\\\\xzz", "/a\\xzz"));
    EXPECT_FALSE(cgroup_matches("/a-", "/a\\x2"));
}

TEST(ContainerMatch, TakesTheBeginOfAnIdAndAWholeName)
{
    const std::string id = "3f4e" + std::string(60, '0');
    EXPECT_TRUE(container_matches("3f4e", id));
    EXPECT_TRUE(container_matches(id, id));
    EXPECT_TRUE(container_matches("3f??00", id));
    EXPECT_FALSE(container_matches("f4e", id));
    EXPECT_TRUE(container_matches("web", "web"));
    EXPECT_FALSE(container_matches("we", "web"));
    EXPECT_TRUE(container_matches("we*", "web"));
    EXPECT_TRUE(container_matches("my-box", "my\\x2dbox"));
    EXPECT_TRUE(container_matches("*", "web"));
    EXPECT_FALSE(container_matches("*", "")) << "it is none";
}

} // namespace
} // namespace tcpflight::test
