//! Debian packages, installed when the user may do so (root).

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// Installs the packages given to it. A server's package would start its service at once, on its usual port and for
/// good; `policy-rc.d` is Debian's way to forbid that, and it is taken away again however the installation ends. Where
/// the machine has a policy already, that one stands. Someone else's installation is waited for.
const INSTALL: &str = "\
policy=/usr/sbin/policy-rc.d
if [ ! -e \"$policy\" ]; then
  trap 'rm -f \"$policy\"' EXIT
  trap : HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >\"$policy\" && chmod 755 \"$policy\" || exit 1
fi
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \"$@\"
";

/// The line that a person types to install the packages.
#[must_use]
pub fn line(packages: &[&str]) -> String {
    format!("apt-get install -y {}", packages.join(" "))
}

/// Installs the packages, says so, and tells whether it worked. `purpose` is what is missing. Without root or apt
/// nothing is tried.
#[must_use]
pub fn install(purpose: &str, packages: &[&str]) -> Attempt {
    if !is_root() || !runs("apt-get", &["--version"]) {
        return Attempt::NotAllowed;
    }
    // A closed standard error is no reason not to try.
    let _ = writeln!(io::stderr().lock(), "    {purpose} is missing; running `{}`", line(packages));
    let mut arguments = vec!["-c", INSTALL, "install"];
    arguments.extend(packages);
    let updated = runs("apt-get", &["-q", "-o", "DPkg::Lock::Timeout=300", "update"]);
    if updated && runs("sh", &arguments) { Attempt::Done } else { Attempt::Failed }
}

/// How an installation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// apt says that the packages are there.
    Done,
    /// apt failed; its errors are on standard error.
    Failed,
    /// Nothing was tried.
    NotAllowed,
}

/// Whether the command succeeds. Standard output belongs to data, so apt's report goes nowhere; its errors are shown.
fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether this process runs as root. Its own directory in `/proc` belongs to its effective user; where there is no
/// `/proc` there is no apt either.
#[must_use]
pub fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
    }
    #[cfg(not(unix))]
    {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_every_package() {
        assert_eq!(line(&["one", "two"]), "apt-get install -y one two");
    }

    #[test]
    fn the_script_of_the_installation_is_a_shell_script() {
        assert!(runs("sh", &["-n", "-c", INSTALL]));
    }
}
