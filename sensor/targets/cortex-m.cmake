# What the Cortex-M targets share; the target's own file sets GWS_CPU and includes this.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mthumb ${GWS_CPU} -ffreestanding -ffunction-sections -fdata-sections")
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
if(NOT GWS_OPTIMISE)
  set(GWS_OPTIMISE "-Os -fno-reorder-blocks -fno-move-loop-invariants")
endif()
set(CMAKE_C_FLAGS_RELEASE "${GWS_OPTIMISE} -fno-schedule-insns -fno-gcse" CACHE STRING "")
# What the example needs: quality 55 and less, RGB888.
set(GWS_STEP_RANGES 4 CACHE STRING "ranges of steps that are built in, a bit each")
set(GWS_INPUTS 1 CACHE STRING "inputs that are built in, a bit each")
set(GWS_LINK -nostartfiles --specs=nano.specs --specs=nosys.specs -T ${CMAKE_CURRENT_LIST_DIR}/arm.ld
    -Wl,--gc-sections -Wl,--no-warnings)
set(GWS_START ${CMAKE_CURRENT_LIST_DIR}/start_arm.c)
