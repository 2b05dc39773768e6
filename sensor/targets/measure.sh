#!/usr/bin/env bash
# Builds the library for every target, holds what it writes under QEMU to the host's bytes, and prints
# sizes, memory and instructions. Called by ./dev sensor; run in the repository root.
#   measure.sh GODWIT [KODAK_FOLDER]
set -euo pipefail
godwit=$1 kodak=${2-}
out=build/sensor
sources=sensor/src
mkdir -p "$out"

small="-Os -fno-reorder-blocks -fno-move-loop-invariants"
# name, compiler prefix, machine flags, QEMU machine, extra flags
targets=(
  "m4|arm-none-eabi-|-mthumb -mcpu=cortex-m4 -mfloat-abi=soft|qemu-system-arm -M mps2-an386|"
  "m7|arm-none-eabi-|-mthumb -mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard|qemu-system-arm -M mps2-an500|"
  "m55|arm-none-eabi-|-mthumb -mcpu=cortex-m55 -mfloat-abi=hard|qemu-system-arm -M mps3-an547|"
  "m4-portable|arm-none-eabi-|-mthumb -mcpu=cortex-m4 -mfloat-abi=soft|qemu-system-arm -M mps2-an386|-DGWS_PORTABLE"
  "m4-small|arm-none-eabi-|-mthumb -mcpu=cortex-m4 -mfloat-abi=soft|qemu-system-arm -M mps2-an386|$small"
  "m4-flash|arm-none-eabi-|-mthumb -mcpu=cortex-m4 -mfloat-abi=soft|qemu-system-arm -M mps2-an386|$small -DGWS_STEP_RANGES=4 -DGWS_INPUTS=1"
  "m55-small|arm-none-eabi-|-mthumb -mcpu=cortex-m55 -mfloat-abi=hard|qemu-system-arm -M mps3-an547|$small"
  "rv32|riscv64-unknown-elf-|-march=rv32imac -mabi=ilp32 -mcmodel=medany|qemu-system-riscv32 -M virt -bios none|"
)
warn="-Wall -Wextra -Wshadow -Wvla -Wdouble-promotion -Werror"
flags="-std=c11 -O2 -fno-schedule-insns -fno-gcse -ffreestanding -fno-common -fstack-usage -ffunction-sections -fdata-sections"

fail() {
  printf 'sensor: %s\n' "$*" >&2
  exit 1
}

build() { # name prefix machine defines
  local dir=$out/$1 cc=$2gcc start link helpers file objects=()
  mkdir -p "$dir"
  for file in "$sources"/gw[sp]_*.c; do
    # shellcheck disable=SC2086
    $cc $flags $warn $3 $4 -Isensor/include -c "$file" -o "$dir/$(basename "$file" .c).o"
    objects+=("$dir/$(basename "$file" .c).o")
  done
  if [[ $2 == arm* ]]; then
    start=start_arm link="-nostartfiles --specs=nano.specs --specs=nosys.specs -T sensor/targets/arm.ld" helpers=""
  else
    start=start_riscv link="-nostdlib -T sensor/targets/riscv.ld" helpers=-lgcc
  fi
  # shellcheck disable=SC2086
  $cc $flags ${3/rv32imac /rv32imac_zicsr } -Wno-unused-parameter -Isensor/include -c "sensor/targets/$start.c" -o "$dir/$start.o"
  for file in firmware packets; do
    # shellcheck disable=SC2086
    $cc $flags $3 -Wno-dangling-pointer "-DMEASURE_${file^^}" -Isensor/include -c sensor/targets/measure.c -o "$dir/measure.o"
    # shellcheck disable=SC2086
    $cc $flags $3 $link -Wl,--gc-sections -Wl,--no-warnings "${objects[@]}" "$dir/$start.o" "$dir/measure.o" $helpers \
      -o "$dir/$file.elf" 2>"$dir/link.log" || { cat "$dir/link.log" >&2; return 1; }
    "$2nm" "$dir/$file.elf" |
      awk '/ __gws_begin$/ {b = $1} / __gws_end$/ {e = $1} END {print b, e, "library"}' >"$dir/$file.map"
    # Every function and table of the library, largest first; padding is in the sums alone.
    "$2nm" -S -t d "$dir/$file.elf" | awk '{at[$NF] = $1} NF == 4 {size[$4] = $2}
      function inside(n, from, to) {return at[n] >= at[from] && at[n] < at[to]}
      END {for (n in size) {
        kind = inside(n, "__gws_begin", "__gws_end") ? "code" : inside(n, "__gws_weights", "__gws_tables") ? "weights" : \
               inside(n, "__gws_tables", "__gws_tables_end") ? "tables" : ""
        if (kind != "") printf "%s %d %s\n", kind, size[n], n}}' | sort -k1,1 -k2,2nr >"$dir/$file.sizes"
  done
  # No heap, no float.
  if "$2nm" -u "${objects[@]}" | grep -E '__aeabi_[fd]|__(add|sub|mul|div)[sd]f|malloc|sbrk' >&2; then
    fail "$1: a heap or float symbol"
  fi
}

# Bytes of code, of tables, of weights.
sizes() { # PREFIX ELF
  "$1nm" -t d "$2" | awk '{at[$NF] = $1}
    END {print at["__gws_end"] - at["__gws_begin"], at["__gws_tables_end"] - at["__gws_tables"], at["__gws_tables"] - at["__gws_weights"]}'
}

# run NAME QEMU IN OUT STEP TILE LAYERS ROWS STRIPS SYMBOLS OUTPUT [PACKET]: into its log, what the firmware prints;
# returns what it exits with
run() {
  local dir=$out/$1 qemu=$2 arguments=fw a file=firmware
  shift 2
  [[ $# -lt 10 ]] || file=packets
  arguments=arg=fw
  for a in "$@"; do arguments+=,arg=$a; done
  # shellcheck disable=SC2086
  timeout 300 $qemu -nographic -monitor none -serial none \
    -semihosting-config "enable=on,target=native,$arguments" \
    -plugin "$out/libinsn.so,map=$dir/$file.map" -kernel "$dir/$file.elf" >"$dir/log" 2>&1
}
must_run() {
  run "$@" || { cat "$out/$1/log" >&2; fail "$1: exit $?"; }
}
# Built without what this takes: gws_init() says so, with a code of its own.
refused() { # STATUS, then as run()
  local want=$1 got=0
  shift
  run "$@" || got=$?
  [[ $got -eq 5 && $(field "$1" status) -eq $want ]] || fail "$1: $3 at step $5 is not refused"
}
field() { sed -n "s/.*\b$2=\([0-9]*\).*/\1/p" "$out/$1/log"; }
instructions() { sed -n 's/^library \([0-9]*\)$/\1/p' "$out/$1/log"; }

picture() { # FILE REGION
  "$godwit" decode "$out/demo.gdw" "$1" --region "$2" -f --quiet
}
step_of() { # FILE BPP
  "$godwit" encode "$1" "$out/step.gdw" -f --quiet --order rows --bpp "$2" --json |
    sed -n 's/.*"step_index": *\([0-9]*\).*/\1/p'
}
quality() { awk -v s="$1" 'BEGIN {printf "%.6f", s < 115 ? 100 - s / 11.5 : (340 - s) / 2.5}'; }

gcc -O2 -shared -fPIC sensor/targets/insn.c -o "$out/libinsn.so"
gcc -O2 sensor/targets/pack.c -o "$out/pack"
"$godwit" encode testdata/demo.png "$out/demo.gdw" -q 90 -f --quiet
picture "$out/qvga.ppm" 224,136,320,240
picture "$out/odd.ppm" 300,200,77,53
picture "$out/tiny.ppm" 400,300,1,1
picture "$out/column.ppm" 400,100,3,140
picture "$out/even.ppm" 300,200,78,53
for kind in rgb565 yuyv grey; do # lines as cameras give them, and the picture that they are
  for name in qvga even; do
    "$out/pack" "$kind" "$out/$name.ppm" "$out/$name.$kind" "$out/$name-$kind.ppm"
  done
done
step=$(step_of "$out/qvga.ppm" 0.25)
rm -rf "$out/host" "$out/whole"
mkdir "$out/host" "$out/whole"
if [[ -n $kodak ]]; then
  for file in "$kodak"/*.png; do
    whole=$out/whole/$(basename "$file" .png)
    "$godwit" encode "$file" "$out/whole.gdw" -q 90 -f --quiet
    "$godwit" decode "$out/whole.gdw" "$whole.ppm" -f --quiet --synthesis none
    step_of "$whole.ppm" 0.25 >"$whole.step"
  done
fi

host() { # PICTURE STEP: prints where the host's bytes are, which are made once
  local made
  made=$out/host/$(basename "$1" .ppm)-$2.gdw
  [[ -e $made ]] || "$godwit" encode "$1" "$made" --quiet --order rows --effort 1 -q "$(quality "$2")" >&2
  echo "$made"
}

check() { # NAME QEMU FILE STEP STRIPS [PICTURE]: FILE holds the lines of PICTURE
  local rows=5 want
  [[ $5 -eq 1 ]] && rows=8
  want=$(host "${6-$3}" "$4")
  must_run "$1" "$2" "$3" "$out/$1/sensor.gdw" "$4" 64 8 "$rows" "$5" 40000 60000
  cmp "$want" "$out/$1/sensor.gdw" || fail "$1: $3 at step $4 differs from the host"
  [[ $(field "$1" dropped) -eq 0 ]] || fail "$1: $3 at step $4 dropped something"
}

count=0
rows=() in_packets=()
for line in "${targets[@]}"; do
  IFS='|' read -r name prefix machine qemu defines <<<"$line"
  build "$name" "$prefix" "$machine" "$defines"
  for file in "$out"/{odd,tiny,column,qvga}.ppm; do
    fine="20 60" # too much for the memory that a large picture is given below
    [[ $file == */qvga.ppm ]] && fine=""
    for s in $fine 120 200 "$step" 340; do
      if [[ $s -lt 202 && $defines == *STEP_RANGES=4* ]]; then
        refused 9 "$name" "$qemu" "$file" "$out/$name/sensor.gdw" "$s" 64 8 8 1 40000 60000
        continue
      fi
      check "$name" "$qemu" "$file" "$s" $((s / 40 % 2))
      count=$((count + 1))
    done
  done
  if [[ -n $kodak ]]; then
    for file in "$out"/whole/*.ppm; do
      check "$name" "$qemu" "$file" "$(<"${file%.ppm}.step")" 1
      count=$((count + 1))
    done
  fi
  for kind in rgb565 yuyv grey; do
    for file in qvga even; do
      if [[ $defines == *INPUTS=1* ]]; then
        refused 12 "$name" "$qemu" "$out/$file.$kind" "$out/$name/sensor.gdw" "$step" 64 8 8 1 40000 60000
        continue
      fi
      check "$name" "$qemu" "$out/$file.$kind" "$step" 1 "$out/$file-$kind.ppm"
      count=$((count + 1))
    done
  done
  # The figures: 320x240, memory as chosen by default, strips of eight lines.
  must_run "$name" "$qemu" "$out/qvga.ppm" "$out/$name/sensor.gdw" "$step" 64 8 8 1 0 0
  bytes=$(stat -c %s "$out/$name/sensor.gdw")
  read -r code tables weights < <(sizes "$prefix" "$out/$name/firmware.elf")
  stack=$(field "$name" stack) memory=$(field "$name" memory)
  [[ $(field "$name" dropped) -eq 0 ]] || fail "$name: the default memory is too small"
  [[ $stack -le 1024 ]] || fail "$name: $stack bytes of stack, more than 1024"
  most=16384
  [[ $name == m55 ]] && most=24576 # fast for memory: GWS_MVE
  [[ $memory -le $most ]] || fail "$name: $memory bytes of memory at 320 wide, more than $most"
  rgb=$(instructions "$name") others=""
  for kind in rgb565 yuyv grey; do
    if [[ $defines == *INPUTS=1* ]]; then
      others+=" -"
      continue
    fi
    must_run "$name" "$qemu" "$out/qvga.$kind" "$out/$name/sensor.gdw" "$step" 64 8 8 1 0 0
    [[ $(field "$name" dropped) -eq 0 ]] || fail "$name: the default memory is too small for $kind"
    others+=" $(instructions "$name")"
  done
  # The same in packets, which are the host's.
  "$godwit" repack "$(host "$out/qvga.ppm" "$step")" "$out/$name/host.gdp" -f --quiet --packets 244
  must_run "$name" "$qemu" "$out/qvga.ppm" "$out/$name/sensor.gdp" "$step" 64 8 8 1 0 0 244
  cmp "$out/$name/host.gdp" "$out/$name/sensor.gdp" || fail "$name: packets differ from the host's"
  [[ $(field "$name" stack) -le 1024 ]] || fail "$name: packets take $(field "$name" stack) bytes of stack"
  read -r packets_code packets_tables _ < <(sizes "$prefix" "$out/$name/packets.elf")
  in_packets+=("$(awk -v n="$name" -v c="$packets_code" -v t="$packets_tables" -v i="$(instructions "$name")" -v s="$(field "$name" stack)" 'BEGIN {
    printf "`%s` %d bytes of code and %d of tables, together %d, %.1f instructions/pixel, %d of stack", n, c, t, c + t, i / 76800, s}')")
  if [[ $name == m4-flash ]]; then # all that a small chip has, in one build, packets or not
    [[ $((packets_code + packets_tables)) -le 16384 ]] || fail "$name: $packets_code + $packets_tables bytes of code and tables, more than 16384"
    [[ $weights -le 16384 ]] || fail "$name: $weights bytes of weights, more than 16384"
    [[ $rgb -le $((95 * 76800)) ]] || fail "$name: $rgb instructions, more than 95 a pixel"
  fi
  rows+=("$(awk -v n="$name" -v c="$code" -v t="$tables" -v w="$weights" -v m="$memory" -v s="$stack" \
    -v i="$rgb" -v o="$others" -v b="$bytes" 'BEGIN {
      for (split(o, k); ++j <= 3;) k[j] = k[j] == "-" ? k[j] : sprintf("%.1f", k[j] / 76800)
      printf "| `%s` | %d | %d | %d | %d | %d | %d | %.1f | %s | %s | %s | %.3f |", n, c, t, c + t, w, m, s, i / 76800,
        k[1], k[2], k[3], b * 8 / 76800}')")
done
# The example is a whole firmware.
cmake -S sensor -B "$out/example" -G Ninja --toolchain "$PWD/sensor/targets/cortex-m4.cmake" >"$out/example.log"
cmake --build "$out/example" >>"$out/example.log"
rm -f "$out/camera.gdw"
(cd "$out" && timeout 60 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
  -semihosting-config enable=on,target=native -kernel example/m4_camera) || fail "m4_camera: exit $?"
"$godwit" verify --quiet "$out/camera.gdw"
printf '%d pictures equal to the host on %d targets.\n\n' "$count" "${#targets[@]}"
printf '| target | code, bytes | tables | together | weights | RAM | stack | instructions/pixel: RGB888 | RGB565 | YUYV | grey | bit/pixel |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n'
printf '%s\n' "${rows[@]}"
printf '\nIn packets of 244 bytes, all in:\n'
printf '  %s\n' "${in_packets[@]}"
