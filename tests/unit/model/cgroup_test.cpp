#include "model/cgroup.h"
#include "model/cgroups.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpflight {
namespace {

const std::string id = "3f4a5b6c7d8e9f00112233445566778899aabbccddeeff0123456789abcdef01";
const std::string outer = "00000000000000000000000000000000000000000000000000000000000000aa";

TEST(Container, IsFoundByItsEngineNaming)
{
    EXPECT_EQ(container_of("/docker/" + id), id);
    EXPECT_EQ(container_of("/system.slice/docker-" + id + ".scope"), id);
    EXPECT_EQ(container_of("/kubepods/besteffort/pod7d1e9f0c-1111-2222-3333-444455556666/" + id), id);
    EXPECT_EQ(container_of("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7d1e.slice/cri-containerd-" +
                           id + ".scope"),
              id);
    EXPECT_EQ(container_of("/kubepods.slice/kubepods-pod7d1e.slice/crio-" + id + ".scope"), id);
    EXPECT_EQ(container_of("/machine.slice/libpod-" + id + ".scope/container"), id);
    EXPECT_EQ(container_of("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope"), id);
    EXPECT_EQ(container_of("/lxc/web"), "web");
    EXPECT_EQ(container_of("/lxc.payload/web"), "web");
    EXPECT_EQ(container_of("/lxc.payload.web/system.slice/nginx.service"), "web");
    EXPECT_EQ(container_of("/machine.slice/machine-web.scope/payload"), "web");
    EXPECT_EQ(container_of("/machine.slice/systemd-nspawn@web.service/payload/init.scope"), "web");
}

TEST(Container, OfNestedOnesIsTheInnermost)
{
    EXPECT_EQ(container_of("/docker/" + outer + "/docker/" + id + "/system.slice/nginx.service"), id);
    EXPECT_EQ(container_of("/lxc.payload.web/docker/" + id), id);
    EXPECT_EQ(container_of("/docker/" + outer + "/lxc/web"), "web");
}

TEST(Container, IsNoneForTheHostsOwn)
{
    for (const auto &path :
         {std::string(), std::string("/"), std::string("//"), std::string("/system.slice/ssh.service"),
          std::string("/system.slice/docker.service"), std::string("/user.slice/user-0.slice"), std::string("/lxc"),
          std::string("/lxc/"), std::string("/lxc.payload."), std::string("/lxc.monitor.web"),
          std::string("/machine.slice/machine-.scope"), std::string("/elsewhere/machine-web.scope")})
        EXPECT_EQ(container_of(path), "") << path;
    // They watch the container from outside.
    EXPECT_EQ(container_of("/machine.slice/libpod-conmon-" + id + ".scope"), "");
    EXPECT_EQ(container_of("/kubepods.slice/crio-conmon-" + id + ".scope"), "");
}

TEST(Container, HasJustSixtyFourDigits)
{
    EXPECT_EQ(container_of("/docker/" + id.substr(1)), "");
    EXPECT_EQ(container_of("/docker/0" + id), "") << "65 digits";
    EXPECT_EQ(container_of("/system.slice/docker" + id + ".scope"), "");
    auto wrong = id;
    wrong[10] = 'G';
    EXPECT_EQ(container_of("/docker/" + wrong), "");
    wrong[10] = 'A';
    EXPECT_EQ(container_of("/docker/" + wrong), "") << "no engine writes capitals";
    wrong[10] = '\0';
    EXPECT_EQ(container_of("/docker/" + wrong), "");
}

TEST(Container, IsShortForPeople)
{
    EXPECT_EQ(short_container(id), "3f4a5b6c7d8e");
    EXPECT_EQ(short_container("a-name-longer-than-twelve"), "a-name-longer-than-twelve");
    EXPECT_EQ(short_container(""), "");
}

TEST(Cgroups, AreFoundByIdAndHierarchy)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/a");
    cgroups.put({.id = 5, .hierarchy = 8}, "/docker/" + id);
    ASSERT_TRUE(cgroups.find({.id = 5, .hierarchy = 0}));
    EXPECT_EQ(cgroups.find({.id = 5, .hierarchy = 0})->path, "/a");
    EXPECT_EQ(cgroups.find({.id = 5, .hierarchy = 0})->container, "");
    EXPECT_EQ(cgroups.find({.id = 5, .hierarchy = 8})->container, id);
    EXPECT_FALSE(cgroups.find({.id = 6, .hierarchy = 0}));
    cgroups.put({.id = 0, .hierarchy = 0}, "/nobody");
    EXPECT_FALSE(cgroups.find({}));
}

TEST(Cgroups, ForgetTheFirstWhenThereAreTooMany)
{
    Cgroups cgroups(2);
    cgroups.put({.id = 1, .hierarchy = 0}, "/1");
    cgroups.put({.id = 2, .hierarchy = 0}, "/2");
    cgroups.put({.id = 1, .hierarchy = 0}, "/1b"); // now the last
    cgroups.put({.id = 3, .hierarchy = 0}, "/3");
    EXPECT_FALSE(cgroups.find({.id = 2, .hierarchy = 0}));
    const auto known = cgroups.known();
    ASSERT_EQ(known.size(), 2U);
    EXPECT_EQ(known[0].path, "/1b");
    EXPECT_EQ(known[1].path, "/3");
    EXPECT_EQ(known[1].key, (CgroupKey{.id = 3, .hierarchy = 0}));
}

TEST(Cgroups, PreferTheOwnersToTheSockets)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/sockets");
    cgroups.put({.id = 6, .hierarchy = 8}, "/owners");
    Identity identity;
    cgroups.locate(identity);
    EXPECT_EQ(identity.where, nullptr);
    EXPECT_EQ(identity.cgroup_path(), "");
    identity.cgroup = 5;
    cgroups.locate(identity);
    EXPECT_EQ(identity.cgroup_path(), "/sockets");
    identity.owner.cgroup = {.id = 6, .hierarchy = 8};
    cgroups.locate(identity);
    EXPECT_EQ(identity.cgroup_path(), "/owners");
    identity.owner.cgroup = {.id = 7, .hierarchy = 8};
    cgroups.locate(identity);
    EXPECT_EQ(identity.where, nullptr) << "another one's path would be wrong";
}

} // namespace
} // namespace tcpflight
