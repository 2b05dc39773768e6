# cmake -S sensor -B build/m55 -G Ninja --toolchain $PWD/sensor/targets/cortex-m55.cmake
set(GWS_CPU "-mcpu=cortex-m55 -mfloat-abi=hard")
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
