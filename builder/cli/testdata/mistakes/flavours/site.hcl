flavour "site" {
  distribution { suite = "testing" }
  features = ["base", "ostreeRepo", "ostreeImage", "hello"]
  set "ostreeRepo" {
    remote_url = "https://updates.example.org/debian-repo-amd64"
  }
}
