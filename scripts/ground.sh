# The ground TerraGen stands on: a Debian 13 userland with the packages of packages.txt.
# Sourced by ./dev. Defines `ground_ready` (installs what is missing) and `ground_exec CMD...` (runs a
# command there). On Debian 13 or Ubuntu 25.04 and newer that is the system itself; elsewhere it is a
# contained Debian 13 (mmdebstrap, bubblewrap), in which every path outside the system folders means the
# same as outside.

ground_list="$root/scripts/packages.txt"
ground_cache="${TERRAGEN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/terragen}"

ground_packages() { grep -v '^#' "$ground_list"; }

ground_say() { printf 'dev: %s\n' "$*" >&2; }

# True where the distribution itself has what packages.txt names.
ground_is_native() {
  [ -n "${TERRAGEN_GROUND:-}" ] && { [ "$TERRAGEN_GROUND" = native ]; return; }
  . /etc/os-release
  case "$ID" in
    debian) [ "${VERSION_ID:-99}" -ge 13 ] ;;
    ubuntu) [ "${VERSION_ID%%.*}" -ge 25 ] ;;
    *) return 1 ;;
  esac
}

ground_as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else ground_say "installing packages needs root: run '$*' as root, then call ./dev again"; return 1
  fi
}

ground_apt() {
  ground_as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
    ground_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

ground_native_ready() {
  local missing=()
  while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done < <(ground_packages)
  [ ${#missing[@]} = 0 ] && return 0
  ground_say "installing ${missing[*]}"
  ground_apt "${missing[@]}"
}

# The Debian mirror that this machine's apt is set up with, so that a site's own mirror is used here too; nothing where
# apt is not set up, so that mmdebstrap takes its own. A machine has some of these files only: one that is missing is no
# failure.
ground_mirror() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    sed -nE '/^(deb [^#]*|URIs: *)(https?:\/\/[^ ]*\/debian)\/?( .*)?$/ { s//\2/p; q }'
}

ground_rootfs() {
  printf '%s/debian13-%s\n' "$ground_cache" "$(ground_packages | sha256sum | cut -c1-16)"
}

ground_contained_ready() {
  local rootfs tools=() began=$SECONDS
  rootfs=$(ground_rootfs)
  command -v bwrap >/dev/null || tools+=(bubblewrap)
  [ -e "$rootfs/.terragen-complete" ] || command -v mmdebstrap >/dev/null || tools+=(mmdebstrap)
  if [ ${#tools[@]} != 0 ]; then
    command -v apt-get >/dev/null || { ground_say "needs ${tools[*]}: install them with your package manager"; return 1; }
    ground_say "installing ${tools[*]}"
    ground_apt "${tools[@]}" || return 1
  fi
  [ -e "$rootfs/.terragen-complete" ] && return 0
  ground_say "making a contained Debian 13 in $rootfs (a few minutes, about 3 GB, once)"
  mkdir -p "$ground_cache"
  local partial mirror mode=unshare
  mirror=$(ground_mirror)
  partial=$(mktemp -d "$rootfs.partial-XXXXXX") || return 1
  chmod 755 "$partial"
  [ "$(id -u)" = 0 ] && mode=root
  if ! mmdebstrap --quiet --mode=$mode --variant=apt --components=main \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --include="$(ground_packages | paste -sd,)" \
    trixie "$partial" ${mirror:+"$mirror"} >&2; then
    rm -rf "$partial"
    ground_say "mmdebstrap failed: the mirror above must be reachable"
    return 1
  fi
  touch "$partial/.terragen-complete"
  # Another ./dev may have finished first: its copy is as good as ours.
  mv -T "$partial" "$rootfs" 2>/dev/null || rm -rf "$partial"
  [ -e "$rootfs/.terragen-complete" ] || { ground_say "could not place $rootfs"; return 1; }
  ground_say "contained Debian 13 ready after $((SECONDS - began)) s"
}

ground_ready() {
  if ground_is_native; then ground_native_ready; else ground_contained_ready; fi
}

ground_exec() {
  if ground_is_native; then
    exec "$@"
  fi
  local rootfs name binds=()
  rootfs=$(ground_rootfs)
  # Everything of the host but its system folders, under the same names.
  for name in /*; do
    case "${name#/}" in
      bin | boot | dev | etc | lib | lib32 | lib64 | libx32 | proc | run | sbin | sys | usr | var | lost+found) ;;
      # A link to a folder (Fedora's /home) is that folder, wherever it lies.
      *) [ -d "$name" ] && binds+=(--bind "$(realpath "$name")" "$name") ;;
    esac
  done
  for name in /etc/resolv.conf /etc/hosts /etc/passwd /etc/group; do
    [ -e "$name" ] && binds+=(--ro-bind "$(realpath "$name")" "$name")
  done
  exec bwrap --bind "$rootfs" / --dev-bind /dev /dev --proc /proc --ro-bind /sys /sys --tmpfs /run \
    "${binds[@]}" --chdir "$PWD" \
    --setenv PATH /usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --unsetenv LIBRARY_PATH --unsetenv CUDA_HOME "$@"
}
