# completion_test.bash COMPLETIONS: loads them and asks for some.
set -u
source "$1" || exit 1

# expect "words typed" "completions": the last word is the one to complete.
expect() {
  local words
  read -ra words <<<"$1"
  [[ $1 == *" " ]] && words+=("")
  COMP_WORDS=("${words[@]}")
  COMP_CWORD=$((${#words[@]} - 1))
  COMPREPLY=()
  _godwit 2>/dev/null
  if [[ ${COMPREPLY[*]} != "$2" ]]; then
    echo "'$1': got '${COMPREPLY[*]}', want '$2'"
    exit 1
  fi
}

complete -p godwit >/dev/null || exit 1
cd "$(mktemp -d)" || exit 1
trap 'rm -r "$PWD"' EXIT
touch a.gdw b.png
mkdir models
expect "godwit en" "encode"
expect "godwit ve" "verify version"
expect "godwit repack --entropy f" "full"
expect "godwit help mo" "models"
expect "godwit encode --rep" "--report-psnr"
expect "godwit encode --rel" "--relative-error"
expect "godwit encode b" "b.png"
expect "godwit encode -q " ""
expect "godwit decode --synthesis m" "medium"
expect "godwit decode --synthesis h" "huge"
expect "godwit decode --a" "--allow-truncated"
expect "godwit eval --met" "--metrics"
expect "godwit eval --codecs w" "webp"
expect "godwit info " "models a.gdw"
expect "godwit models --model-dir " "models"
