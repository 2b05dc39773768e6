# cmake -S sensor -B build/m7 -G Ninja --toolchain $PWD/sensor/targets/cortex-m7.cmake
set(GWS_CPU "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
