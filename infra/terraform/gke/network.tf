# Nodes have no public address. They reach Google's services directly, and Temporal Cloud and webhooks through one address,
# which you can put on an allow list there.

resource "google_compute_network" "fleet" {
  name                    = var.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.used]
}

resource "google_compute_subnetwork" "fleet" {
  name                     = var.name
  region                   = var.region
  network                  = google_compute_network.fleet.id
  ip_cidr_range            = "10.10.0.0/20"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.20.0.0/16"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.30.0.0/20"
  }
}

resource "google_compute_address" "egress" {
  name   = "${var.name}-egress"
  region = var.region

  depends_on = [google_project_service.used]
}

resource "google_compute_router" "fleet" {
  name    = var.name
  region  = var.region
  network = google_compute_network.fleet.id
}

resource "google_compute_router_nat" "fleet" {
  name                               = var.name
  router                             = google_compute_router.fleet.name
  region                             = var.region
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.egress.self_link]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.fleet.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
