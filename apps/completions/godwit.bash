# bash completion for godwit(1)

_godwit() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]}
  local commands="encode decode repack info verify models compare eval help version"
  local common="--json --quiet --verbose --help"
  local limits="--max-pixels --max-memory"
  local options
  COMPREPLY=()

  if [[ $COMP_CWORD -eq 1 || ($command == help && $COMP_CWORD -eq 2) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
    return
  fi

  local words=
  case $previous in
    --synthesis) words="small medium large huge none" ;; # or a model file, see below
    --codec) words="swift packet music voice" ;;
    --codecs) words="swift jpeg webp avif jxl sound music voice opus vorbis mp3 packet array zfp jpeg2000 flac zstd" ;;
    --effort) words="1 2 3 4 5 6 7 8 9" ;;
    --entropy) words="lite mid full" ;;
    --format) words="png jpg ppm pgm pam wav flac raw" ;;
    --layers) words="1 2 3 4 5 6 7 8" ;;
    --metrics) words="all psnr psnr-y psnr-ycbcr ssim msssim msssim-rgb butteraugli ssimulacra
      si-sdr seg-snr log-mel stoi psnr-walloc max-error psnr-range" ;;
    --media) words="picture audio array" ;;
    --method) words="auto wavelet live predict" ;;
    --order) words="layers rows" ;;
    --tile) words="32 64 128 256 512 1024 2048 4096" ;;
    --tune) words="psnr msssim" ;;
    --model)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --out | --model-dir)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    -q | --quality | --bpp | --size | --psnr | --max-error | --range-error | --relative-error | --bps | --axes | \
      --kbps | --rate | --raw | \
      --slice | --region | --picture | --packets | --jpeg-quality | -j | --threads | --max-pixels | --max-memory | \
      --points | --repeats | --jobs | --report-bpp | --anchor | --min-overlap)
      return # a number of the user's own
      ;;
  esac
  if [[ $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [[ $previous == --synthesis ]] &&
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X '!*.safetensors' -- "$current")
    return
  fi

  if [[ $current == -* ]]; then
    case $command in
      encode)
        options="--quality --bpp --kbps --size --psnr --lossless --max-error --range-error --relative-error --bps --method --axes
          --effort --tune --synthesis --codec --entropy --model --model-dir --layers --tile --order --strip
          --raw --rate --live
          --report-psnr --force --threads $limits"
        ;;
      decode)
        options="--synthesis --model-dir --layers --region --slice --format --jpeg-quality --strip
          --allow-truncated --conceal --picture --force --threads $limits"
        ;;
      repack) options="--entropy --packets --picture --model-dir --force --threads $limits" ;;
      info) options="--model-dir --max-pixels" ;;
      verify) options="--model-dir --threads $limits" ;;
      models) options="--model-dir" ;;
      compare) options="--max-pixels" ;;
      eval)
        options="--codecs --media --kbps --range-error --points --metrics --out --resume --force --repeats --threads --jobs
          --memory --report-bpp --anchor --min-overlap --import --readme --report --merge --compare
          --model-dir --max-pixels"
        ;;
      version) options= common=--json ;;
      *) return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$current")
    return
  fi

  compopt -o filenames 2>/dev/null
  case $command in
    info | verify | repack)
      mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X '!*.gdw' -- "$current")
      ;;
    encode | decode | compare | eval) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}

complete -F _godwit godwit
