locals {
  # The node's account alone decides what it may do.
  scopes = ["https://www.googleapis.com/auth/cloud-platform"]
}

# For everything that always runs.
resource "google_container_node_pool" "usual" {
  name    = "usual"
  cluster = google_container_cluster.fleet.id

  autoscaling {
    total_min_node_count = var.usual_pool.min_nodes
    total_max_node_count = var.usual_pool.max_nodes
  }

  node_config {
    machine_type    = var.usual_pool.machine_type
    service_account = google_service_account.node.email
    oauth_scopes    = local.scopes

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
    shielded_instance_config {
      enable_secure_boot = true
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

# From zero nodes to max_nodes, in all zones together: `max_node_count` would be per zone.
resource "google_container_node_pool" "gpu" {
  for_each = var.gpu_pools

  name               = each.key
  cluster            = google_container_cluster.fleet.id
  node_locations     = each.value.zones
  initial_node_count = 0

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = each.value.max_nodes
    # Spot machines come from any zone that has them.
    location_policy = each.value.spot ? "ANY" : "BALANCED"
  }

  # No extra GPU during an upgrade: the quota might not have one.
  upgrade_settings {
    max_surge       = 0
    max_unavailable = 1
  }

  node_config {
    machine_type    = each.value.machine_type
    spot            = each.value.spot
    disk_size_gb    = each.value.disk_gb
    service_account = google_service_account.node.email
    oauth_scopes    = local.scopes

    guest_accelerator {
      type  = each.value.accelerator
      count = each.value.gpus

      # ONNX Runtime's builds for CUDA 13 need driver branch 580 or later, which GKE's default may not be.
      gpu_driver_installation_config {
        gpu_driver_version = "LATEST"
      }
    }

    # GKE adds the GPU taint itself only if the cluster already has other nodes.
    dynamic "taint" {
      for_each = module.chart.taints.gpu[each.key]
      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = "NO_SCHEDULE"
      }
    }

    # Containers start while their image is still being streamed.
    gcfs_config {
      enabled = true
    }
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
    # No secure boot: it loads only signed kernel modules, and not all of NVIDIA's drivers are signed.
    shielded_instance_config {
      enable_secure_boot = false
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

resource "google_container_node_pool" "encode" {
  name               = "encode"
  cluster            = google_container_cluster.fleet.id
  initial_node_count = 0

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = var.encode_pool.max_nodes
    location_policy      = var.encode_pool.spot ? "ANY" : "BALANCED"
  }

  node_config {
    machine_type    = var.encode_pool.machine_type
    spot            = var.encode_pool.spot
    service_account = google_service_account.node.email
    oauth_scopes    = local.scopes

    dynamic "taint" {
      for_each = module.chart.taints.encode
      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = "NO_SCHEDULE"
      }
    }

    gcfs_config {
      enabled = true
    }
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
    shielded_instance_config {
      enable_secure_boot = true
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}
