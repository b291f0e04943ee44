resource "google_container_cluster" "fleet" {
  name     = var.name
  location = var.region

  network    = google_compute_network.fleet.id
  subnetwork = google_compute_subnetwork.fleet.id
  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  default_max_pods_per_node = 32

  private_cluster_config {
    enable_private_nodes = true
  }
  # The control plane has a DNS name and no public address: IAM decides who can connect (container.clusters.connect).
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  # Enforces the chart's network policies.
  datapath_provider = "ADVANCED_DATAPATH"

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }

  addons_config {
    # Mounts the bundles' bucket.
    gcs_fuse_csi_driver_config {
      enabled = true
    }
  }

  cluster_autoscaling {
    # Only pools.tf creates pools, so that their max_nodes bound the bill.
    enabled = false
    # Removes idle nodes sooner.
    autoscaling_profile = "OPTIMIZE_UTILIZATION"
  }

  release_channel {
    channel = "REGULAR"
  }

  # Pools are separate resources, so that changing one never replaces the cluster. A new cluster has to start with one
  # pool.
  remove_default_node_pool = true
  initial_node_count       = 1
  node_config {
    service_account = google_service_account.node.email
  }

  deletion_protection = var.deletion_protection

  lifecycle {
    # Belongs to the pool that has been removed.
    ignore_changes = [node_config]
  }

  depends_on = [google_project_service.used, google_project_iam_member.node]
}
