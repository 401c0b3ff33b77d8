# What every target of this project is built with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

add_compile_options(
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wsign-conversion -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough)
if(TCPFLIGHT_WERROR)
  add_compile_options(-Werror)
endif()
if(TCPFLIGHT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "TCPFLIGHT_FUZZ needs clang: cmake -DCMAKE_CXX_COMPILER=clang++")
  endif()
  set(TCPFLIGHT_SANITIZE ON)
  # libFuzzer sees where it gets in all code; its main() is linked into the targets alone.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(TCPFLIGHT_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

if(TCPFLIGHT_STATIC)
  if(TCPFLIGHT_SANITIZE)
    message(FATAL_ERROR "TCPFLIGHT_STATIC and TCPFLIGHT_SANITIZE exclude each other: the sanitizers need shared libraries")
  endif()
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

# Libraries that user/ and tests/ share.
if(TCPFLIGHT_STATIC)
  # Debian has {fmt} as headers and as a shared library.
  find_path(FMT_INCLUDE fmt/format.h REQUIRED)
  add_library(fmt INTERFACE)
  target_include_directories(fmt SYSTEM INTERFACE "${FMT_INCLUDE}")
  target_compile_definitions(fmt INTERFACE FMT_HEADER_ONLY)
  add_library(fmt::fmt ALIAS fmt)
else()
  find_package(fmt REQUIRED)
endif()
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(tsl-robin-map REQUIRED)

# tcpflight_library(NAME SOURCES... [LINK LIBRARIES...]): one folder under user/ as a static library.
function(tcpflight_library name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_library(tcpflight_${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(tcpflight_${name} PUBLIC "${PROJECT_SOURCE_DIR}/user" "${PROJECT_SOURCE_DIR}/include")
  if(arg_LINK)
    target_link_libraries(tcpflight_${name} PUBLIC ${arg_LINK})
  endif()
endfunction()

# tcpflight_test(NAME LABEL SOURCES... [LINK LIBRARIES...] [PROPERTIES ...]): a GoogleTest program; each of its tests is a
# ctest test with LABEL. A test that calls GTEST_SKIP is reported as skipped, never as passed.
function(tcpflight_test name label)
  cmake_parse_arguments(arg "" "" "LINK;PROPERTIES" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main)
  if(TCPFLIGHT_STATIC)
    target_link_options(${name} PRIVATE -static-pie)
  endif()
  # A third of the whole build went into making tests fast. What they test is built as it is shipped.
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1;-g1>)
  gtest_discover_tests(${name} TEST_PREFIX "${label}/" DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${label}" SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]" ${arg_PROPERTIES})
endfunction()
